/** Reads the workspace into memory: packages, their manifests and their source files. */
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { readImports } from "./imports.ts";

export interface SourceFile {
  /** From the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly lineCount: number;
  readonly imports: readonly string[];
}

export interface Manifest {
  readonly name?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

export interface Room {
  /** The folder's word, which is also the package's name after `@sluice/`. */
  readonly name: string;
  readonly manifest: Manifest;
  /** Lines without the lists of dependencies, whose length does not matter. */
  readonly manifestLineCount: number;
  readonly tsconfigLineCount: number;
  /** Paths of the projects that tsconfig.json refers to, as written. */
  readonly references: readonly string[];
  readonly src: readonly SourceFile[];
  readonly tests: readonly SourceFile[];
}

export interface Tree {
  readonly rooms: readonly Room[];
  /** Files outside packages: tools, e2e, bench, examples. */
  readonly outside: readonly SourceFile[];
}

/** A list of dependencies, from its opening to its closing line. */
const DEPENDENCIES = /^[ \t]*"(?:dev|optional|peer)?[dD]ependencies"\s*:\s*\{[^}]*\},?[ \t]*\n/gm;

const OUTSIDE = ["tools", "e2e", "bench", "examples"];

export function readTree(root: string): Tree {
  const folders = readdirSync(join(root, "packages"), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return {
    rooms: folders.map((folder) => readRoom(root, folder.name)),
    outside: OUTSIDE.flatMap((folder) => readSources(root, folder)),
  };
}

function readRoom(root: string, name: string): Room {
  const folder = `packages/${name}`;
  const manifest = readText(root, `${folder}/package.json`);
  const tsconfig = readText(root, `${folder}/tsconfig.json`);
  return {
    name,
    manifest: JSON.parse(manifest === "" ? "{}" : manifest) as Manifest,
    manifestLineCount: countLines(manifest.replace(DEPENDENCIES, "")),
    tsconfigLineCount: countLines(tsconfig),
    references: [...tsconfig.matchAll(/"path"\s*:\s*"([^"]+)"/g)].map((match) => match[1] as string),
    src: readSources(root, `${folder}/src`),
    tests: readSources(root, `${folder}/test`),
  };
}

function readSources(root: string, folder: string): SourceFile[] {
  const paths = globSync(`${folder}/**/*.{ts,tsx,mts}`, {
    cwd: root,
    exclude: (path) => ["node_modules", "dist", "out"].includes(basename(path)),
  });
  return paths.map((path) => readSource(root, path.replaceAll("\\", "/"))).sort((a, b) => (a.path < b.path ? -1 : 1));
}

function readSource(root: string, path: string): SourceFile {
  const text = readText(root, path);
  return { path, text, lineCount: countLines(text), imports: readImports(text) };
}

function readText(root: string, path: string): string {
  return existsSync(join(root, path)) ? readFileSync(join(root, path), "utf8") : "";
}

function countLines(text: string): number {
  return text === "" ? 0 : text.trimEnd().split("\n").length;
}
