/** Reads the imports of a source text, including type-only and dynamic ones. */

const STATIC = /^[ \t]*(?:import|export)\b[^;"'`]*?\bfrom\s*["']([^"']+)["']/gm;
const BARE = /^[ \t]*import\s*["']([^"']+)["']/gm;
const DYNAMIC = /\bimport\s*\(\s*["']([^"']+)["']\s*\)/g;

/** Specifiers as written, in no order, each once. */
export function readImports(text: string): string[] {
  const code = withoutComments(text);
  const found = [STATIC, BARE, DYNAMIC].flatMap((form) => [...code.matchAll(form)].map((match) => match[1] as string));
  return [...new Set(found)];
}

/** Replaces comments by blanks; keeps strings, templates and line ends in place. */
export function withoutComments(text: string): string {
  const token = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`|\/\*[^]*?\*\/|\/\/[^\n]*/g;
  return text.replace(token, (part) => (part.startsWith("/*") || part.startsWith("//") ? blank(part) : part));
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, " ");
}
