/** A URL as it may be seen in logs and printed configurations: what could open something is left out. */

/** Secrets have at least this many characters everywhere in the configuration. */
const SECRET_CHARACTERS = 16;

/** Without query, fragment, user and password, and without parts of the path that are long enough to be secrets. */
export function shownUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null) return "…";
  const path = url.pathname
    .split("/")
    .map((part) => (part.length < SECRET_CHARACTERS ? part : "…"))
    .join("/");
  return `${url.protocol}//${url.host}${path}${url.search === "" && url.hash === "" ? "" : "?…"}`;
}
