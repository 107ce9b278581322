/** Compares generated documents with the source, or rewrites them. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Finding, refused } from "../house/finding.ts";

export interface GeneratedDoc {
  readonly path: string;
  readonly text: string;
}

export function checkGenerated(root: string, docs: readonly GeneratedDoc[]): Finding[] {
  return docs.flatMap(({ path, text }) =>
    readCurrent(root, path) === text ? [] : [refused(path, "does not say what the source says: run npm run docs:fix")],
  );
}

export function writeGenerated(root: string, docs: readonly GeneratedDoc[]): string[] {
  const stale = docs.filter(({ path, text }) => readCurrent(root, path) !== text);
  for (const { path, text } of stale) writeFileSync(join(root, path), text);
  return stale.map(({ path }) => path);
}

function readCurrent(root: string, path: string): string {
  return existsSync(join(root, path)) ? readFileSync(join(root, path), "utf8") : "";
}

/** The configuration prints its own page and its sample file. */
export function configDocs(root: string): GeneratedDoc[] {
  const printer = join(root, "packages/server/dist/config/print-docs.js");
  if (!existsSync(printer)) return [];
  const print = (args: readonly string[]): string =>
    execFileSync(process.execPath, [printer, ...args], { encoding: "utf8" });
  return [
    { path: "docs/config.md", text: print([]) },
    { path: "sluice.example.yaml", text: print(["sample"]) },
  ];
}
