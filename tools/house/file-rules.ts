/** Checks each source file: opening comment, length, name, no printing. */
import { basename } from "node:path";
import { type Finding, refused, warning } from "./finding.ts";
import type { HouseTable } from "./import-table.ts";
import { withoutComments } from "./imports.ts";
import type { SourceFile, Tree } from "./tree.ts";

const MOST_LINES = 400;
const ASK_LINES = 300;

export function checkFiles(tree: Tree, table: HouseTable): Finding[] {
  const src = tree.rooms.flatMap((room) => room.src);
  const tests = tree.rooms.flatMap((room) => room.tests);
  return [
    ...[...src, ...tests, ...tree.outside].flatMap(checkOpening),
    ...[...src, ...tree.outside].flatMap((file) => checkLength(file, table)),
    ...tests.flatMap((file) =>
      file.lineCount > MOST_LINES ? [warning(file.path, `has ${file.lineCount} lines`)] : [],
    ),
    ...src.flatMap(checkConsole),
    ...tree.rooms.flatMap((room) => (table.published.includes(room.name) ? [] : room.src.flatMap(checkIndex))),
  ];
}

function checkOpening(file: SourceFile): Finding[] {
  const text = file.text.replace(/^#![^\n]*\n/, "").trimStart();
  const comment = /^\/\*\*?([^]*?)\*\//.exec(text)?.[1] ?? /^(?:\/\/[^\n]*\n?)+/.exec(text)?.[0];
  const words = comment?.replace(/^\s*(?:\*|\/\/)/gm, "").trim() ?? "";
  if (/\w+ \w+[^]*[.:!?]/.test(words)) return [];
  return [refused(file.path, "does not open with a sentence that says what it is for")];
}

function checkLength(file: SourceFile, table: HouseTable): Finding[] {
  if (table.dataTables.includes(file.path) || file.lineCount <= ASK_LINES) return [];
  if (file.lineCount > MOST_LINES) return [refused(file.path, `has ${file.lineCount} lines, over ${MOST_LINES}`)];
  return [warning(file.path, `has ${file.lineCount} lines, over ${ASK_LINES}: is it two things?`)];
}

function checkConsole(file: SourceFile): Finding[] {
  const found = /\bconsole\.(log|info|warn|error|debug|trace)\s*\(/.exec(withoutComments(file.text));
  return found === null ? [] : [refused(file.path, `calls console.${found[1]}: use the log port`)];
}

function checkIndex(file: SourceFile): Finding[] {
  return /^index\.tsx?$/.test(basename(file.path))
    ? [refused(file.path, "name it for what it holds: no index files")]
    : [];
}
