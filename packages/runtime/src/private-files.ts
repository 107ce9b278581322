/** Folders and files that only this user may read, write or list. */
import { chmodSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

export const PRIVATE_FOLDER = 0o700;
export const PRIVATE_FILE = 0o600;
const OTHERS = 0o077;

/**
 * Creates missing parents; leaves existing ones unchanged. Node's own `recursive` never returns when a parent
 * exists but cannot have children, as in `/proc`.
 *
 * @throws {NodeJS.ErrnoException} also when the path exists and is not a folder
 */
export function makePrivateFolder(path: string): void {
  try {
    mkdirSync(path, PRIVATE_FOLDER);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" && statSync(path).isDirectory()) return;
    if (code === "EEXIST") throw Object.assign(new Error(`ENOTDIR: "${path}" is not a folder`), { code: "ENOTDIR" });
    const parent = dirname(resolve(path));
    if (code !== "ENOENT" || parent === resolve(path)) throw error;
    makePrivateFolder(parent);
    mkdirSync(path, PRIVATE_FOLDER);
  }
}

/**
 * Removes other users' rights from those of `names` that are in the folder, and from the folder itself if it holds
 * nothing else.
 *
 * @returns what other users can still read, each with the reason
 */
export function closeToOthers(folder: string, names: readonly string[]): readonly string[] {
  const found = readdirSync(folder);
  const own = found.filter((name) => names.includes(name)).map((name) => join(folder, name));
  const left = own.map((file) => closeOne(file, PRIVATE_FILE));
  if (own.length === found.length) left.push(closeOne(folder, PRIVATE_FOLDER));
  else if (isOpen(folder)) left.push(`${folder}: it holds other files too`);
  return left.filter((problem) => problem !== undefined);
}

function isOpen(path: string): boolean {
  return (statSync(path).mode & OTHERS) !== 0;
}

function closeOne(path: string, mode: number): string | undefined {
  try {
    if (isOpen(path)) chmodSync(path, mode);
    return undefined;
  } catch (error) {
    return `${path}: ${(error as Error).message}`;
  }
}
