/** Reads the source texts of all packages covered by the generated documents. */
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

export interface SourceText {
  readonly path: string;
  readonly room: string;
  readonly text: string;
}

export function readSourceTexts(root: string): SourceText[] {
  const exclude = (path: string): boolean => ["node_modules", "dist"].includes(basename(path));
  return globSync("packages/*/src/**/*.{ts,tsx}", { cwd: root, exclude })
    .map((path) => path.replaceAll("\\", "/"))
    .sort()
    .map((path) => ({ path, room: path.split("/")[1] as string, text: readFileSync(join(root, path), "utf8") }));
}
