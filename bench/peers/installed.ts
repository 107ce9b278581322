/** Packages that only the bench needs, as peers to compare with: installed once beside its results, not with the workspace. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";

const FOLDER = join(import.meta.dirname, "..", "out", "packages");

/** @param packages  each as `name@version` @returns a file to resolve them from */
export function install(packages: readonly string[]): string {
  const wanted = packages.map((one) => join(FOLDER, "node_modules", one.slice(0, one.lastIndexOf("@"))));
  if (!wanted.every((path) => existsSync(path))) {
    mkdirSync(FOLDER, { recursive: true });
    const quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
    execFileSync("npm", ["install", "--prefix", FOLDER, ...quiet, ...packages], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
  return join(FOLDER, "package.json");
}
