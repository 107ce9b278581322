/** Makes small made-up workspaces for the checks to fail on. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export interface SmallTree extends Disposable {
  readonly root: string;
}

/** @param files  text by path; gone when the tree is disposed */
export function smallTree(files: Readonly<Record<string, string>>): SmallTree {
  const root = mkdtempSync(join(tmpdir(), "sluice-tree-"));
  mkdirSync(join(root, "packages"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
}

/** The files of one package that breaks no rule. */
export function goodPackage(
  name: string,
  dependencies: readonly string[] = [],
  uses: readonly string[] = dependencies,
): Record<string, string> {
  const declared = Object.fromEntries(dependencies.map((dependency) => [`@sluice/${dependency}`, "0.1.0"]));
  const references = dependencies.map((dependency) => ({ path: `../${dependency}` }));
  return {
    [`packages/${name}/package.json`]: JSON.stringify({ name: `@sluice/${name}`, dependencies: declared }),
    [`packages/${name}/tsconfig.json`]: JSON.stringify({ references }),
    [`packages/${name}/src/thing.ts`]: `${OPENING}${uses.map((use) => `import type { A } from "@sluice/${use}/thing";\n`).join("")}`,
  };
}

export const OPENING = "/** Says what this file is for. */\n";
