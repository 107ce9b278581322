/** Generates docs/errors.md from the error classes: each code with the doc comment of its class. */
import { type Finding, refused } from "../house/finding.ts";
import { cell, commentBefore } from "./doc-comment.ts";
import type { SourceText } from "./source-text.ts";

const CODE = /["'`]((WIRE|LIMIT|STATE|UNAVAILABLE)_[A-Z0-9]+(?:_[A-Z0-9]+)*)["'`]/g;
const CLASS = /^(?:export )?(?:abstract )?class (\w+)/gm;
const TABLE = /^(?:export )?const (\w+)[^=\n]*= (?:\{|\[|Object)/gm;

const FAMILIES = [
  ["WIRE", "A peer sent bytes that the specification forbids; its session ends."],
  [
    "LIMIT",
    "A peer asked this process to hold or do more than a named limit allows; it is refused, or its session ends.",
  ],
  ["STATE", "Our own caller did what the contract forbids; a bug, to be reported."],
  ["UNAVAILABLE", "Something outside failed: a port in use, a hook that does not answer."],
] as const;

export interface ErrorCode {
  readonly code: string;
  readonly className: string;
  readonly meaning: string;
  readonly path: string;
}

/** A code used in several places is taken from the first that explains it. */
export function readErrorCodes(sources: readonly SourceText[]): ErrorCode[] {
  const codes = new Map<string, ErrorCode>();
  for (const source of sources) {
    for (const match of source.text.matchAll(CODE)) {
      const code = match[1] as string;
      const found = explain(source, code, match.index);
      if ((codes.get(code)?.meaning ?? "") === "") codes.set(code, found);
    }
  }
  return [...codes.values()].sort((a, b) => (a.code < b.code ? -1 : 1));
}

/** The comment above the code's own line, else above its class, else above the class that uses its table. */
function explain(source: SourceText, code: string, offset: number): ErrorCode {
  const { path, text } = source;
  const own = commentBefore(text, text.lastIndexOf("\n", offset) + 1);
  const owner = lastBefore(text, CLASS, offset);
  const table = lastBefore(text, TABLE, offset);
  const inTable = table !== undefined && table.index > (owner?.index ?? -1);
  const named = inTable ? classUsing(text, table[1] as string) : owner;
  const meaning = own ?? (named === undefined ? undefined : commentBefore(text, named.index));
  return { code, className: named?.[1] ?? "", meaning: meaning ?? "", path };
}

function lastBefore(text: string, form: RegExp, offset: number): RegExpExecArray | undefined {
  return [...text.matchAll(form)].filter((match) => match.index < offset).at(-1);
}

function classUsing(text: string, table: string): RegExpExecArray | undefined {
  const use = [...text.matchAll(new RegExp(`\\b${table}\\b`, "g"))].slice(1).map((match) => match.index);
  return use.map((index) => lastBefore(text, CLASS, index)).find((found) => found !== undefined);
}

export function checkErrorCodes(codes: readonly ErrorCode[]): Finding[] {
  return codes.flatMap(({ code, meaning, path }) =>
    meaning === "" ? [refused(path, `${code} has no doc comment above its class: say what happened`)] : [],
  );
}

export function renderErrors(codes: readonly ErrorCode[]): string {
  const sections = FAMILIES.map(([family, says]) => {
    const rows = codes.filter(({ code }) => code.startsWith(`${family}_`));
    const table = rows.map(
      ({ code, className, meaning }) =>
        `| \`${code}\` | ${className === "" ? "" : `\`${className}\``} | ${cell(meaning)} |`,
    );
    const body =
      rows.length === 0
        ? "None yet."
        : ["| code | class | what happened |", "| --- | --- | --- |", ...table].join("\n");
    return `## ${family}\n\n${says}\n\n${body}\n`;
  });
  return `# Error codes\n\nMade from the source by \`npm run docs:fix\`; do not edit. Codes are stable: match on them, never on messages.\n\n${sections.join("\n")}`;
}
