/** Removes terminal control characters from text that peers can choose, before it reaches logs, tables and errors. */

/** C0, DEL and C1 controls, and characters that change the writing direction. */
const OBEYED = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;
const OBEYED_IN_LINES = /[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/gu;

const visible = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** For one cell or field; control characters are escaped as in JSON. */
export function plainWords(text: string): string {
  return text.replaceAll(OBEYED, visible);
}

/** For whole output: line ends and tabs stay. JSON stays equivalent JSON: its encoder escapes only C0. */
export function plainLines(text: string): string {
  return text.replaceAll(OBEYED_IN_LINES, visible);
}
