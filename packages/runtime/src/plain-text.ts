/** Text for people, without characters that a terminal obeys: names and messages of peers reach logs, tables and errors. */

/** C0, DEL and C1, and what turns the direction of writing. */
const OBEYED = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;
const OBEYED_IN_LINES = /[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/gu;

const visible = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** For one cell or field; what a terminal would obey is shown as in JSON. */
export function plainWords(text: string): string {
  return text.replaceAll(OBEYED, visible);
}

/** For whole output: line ends and tabs stay. JSON stays the same JSON: its encoder escapes C0 alone. */
export function plainLines(text: string): string {
  return text.replaceAll(OBEYED_IN_LINES, visible);
}
