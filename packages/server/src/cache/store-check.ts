/** Reads a whole store in a process of its own: a damaged database may end whoever reads it, and then that is the answer. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { openTables } from "./store-tables.ts";
import { recover } from "./store-recovery.ts";

/** Long enough for gigabytes from a slow disk. */
const PATIENCE_MS = 120_000;

/** What is wrong with the store, `undefined` for nothing. */
export function findDamage(file: string, dir: string): Promise<string | undefined> {
  const script = fileURLToPath(new URL("./store-check-process.js", import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, [script, file, dir], { timeout: PATIENCE_MS }, (error, stdout) => {
      if (error === null) resolve(undefined);
      else if (error.signal) resolve(`the database is damaged (reading it ended with ${error.signal})`);
      else resolve(stdout.trim() || "the database cannot be read");
    });
  });
}

/** In that process. @throws when something is damaged */
export async function readAll(file: string, dir: string): Promise<void> {
  const tables = openTables(file, "read-only");
  for (const piece of recover(tables, dir).snapshot?.pieces ?? []) void piece;
  await tables.root.close();
}
