/** Reads doc comments from source text, for the tables in docs. */

/** The doc comment that ends right before `offset`, as one line; `undefined` if code is in between. */
export function commentBefore(text: string, offset: number): string | undefined {
  const before = text.slice(0, offset);
  const end = before.lastIndexOf("*/");
  if (end < 0 || before.slice(end + 2).trim() !== "") return undefined;
  const start = before.lastIndexOf("/**", end);
  return start < 0 ? undefined : flatten(before.slice(start + 3, end));
}

/** Without stars and tags: the text before the first `@`, on one line. */
function flatten(comment: string): string {
  const lines = comment.split("\n").map((line) => line.replace(/^\s*\*? ?/, "").trim());
  const tag = lines.findIndex((line) => line.startsWith("@"));
  return (tag < 0 ? lines : lines.slice(0, tag))
    .join(" ")
    .replace(/\s@\w+ .*$/, "")
    .replace(/\s+/g, " ")
    .trim();
}

/** Escapes a text for a cell of a Markdown table. */
export function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ").trim();
}
