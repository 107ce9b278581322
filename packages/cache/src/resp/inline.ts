/** Splits an inline command, as typed by a person, into arguments with quotes and escapes. */
import { latin1Bytes } from "../state/integer-text.ts";

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["b", "\b"],
  ["a", "\x07"],
]);
const SPACE = /[\0\t\n\v\f\r ]/;
const HEX_ESCAPE = /^\\x[0-9a-fA-F]{2}/;

/** @param line  characters of U+0000 to U+00FF. @returns undefined for unbalanced quotes */
export function splitInline(line: string): Uint8Array[] | undefined {
  const words: Uint8Array[] = [];
  let at = 0;
  for (;;) {
    while (at < line.length && SPACE.test(line[at] as string)) at++;
    if (at >= line.length) return words;
    const word = readWord(line, at);
    if (word === undefined) return undefined;
    words.push(latin1Bytes(word.text));
    at = word.end;
  }
}

interface Piece {
  readonly text: string;
  readonly end: number;
}

/** Reads up to the next space; parts may be quoted. A closing quote ends the word. */
function readWord(line: string, start: number): Piece | undefined {
  let text = "";
  for (let at = start; at < line.length && !SPACE.test(line[at] as string); at++) {
    const char = line[at] as string;
    if (char !== '"' && char !== "'") {
      text += char;
      continue;
    }
    const quoted = char === '"' ? readDouble(line, at + 1) : readSingle(line, at + 1);
    if (quoted === undefined || !endsWord(line, quoted.end)) return undefined;
    return { text: text + quoted.text, end: quoted.end };
  }
  let end = start;
  while (end < line.length && !SPACE.test(line[end] as string)) end++;
  return { text, end };
}

function endsWord(line: string, at: number): boolean {
  return at >= line.length || SPACE.test(line[at] as string);
}

function readDouble(line: string, start: number): Piece | undefined {
  let text = "";
  for (let at = start; at < line.length; at++) {
    const char = line[at] as string;
    if (char === '"') return { text, end: at + 1 };
    if (char !== "\\" || at + 1 >= line.length) text += char;
    else if (HEX_ESCAPE.test(line.slice(at, at + 4))) {
      text += String.fromCharCode(Number.parseInt(line.slice(at + 2, at + 4), 16));
      at += 3;
    } else {
      at++;
      const escaped = line[at] as string;
      text += ESCAPES.get(escaped) ?? escaped;
    }
  }
  return undefined;
}

function readSingle(line: string, start: number): Piece | undefined {
  let text = "";
  for (let at = start; at < line.length; at++) {
    const char = line[at] as string;
    if (char === "'") return { text, end: at + 1 };
    if (char === "\\" && line[at + 1] === "'") at++;
    text += line[at] as string;
  }
  return undefined;
}
