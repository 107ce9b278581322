/** Renames a store's folder instead of deleting it, so that its member can start with an empty store. */
import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { Millis } from "@sluice/base/brand";
import { lockDir } from "./dir-lock.ts";
import { StoreIoError } from "./store-errors.ts";
import { DATABASE } from "./store-tables.ts";

/**
 * For a member that is not running.
 *
 * @param wall  the wall clock, for the name
 * @returns the new folder of the store; undefined if there was none
 * @throws {StoreLockedError} while a process has it open @throws {StoreIoError}
 */
export function setStoreAside(dir: string, wall: Millis): string | undefined {
  if (!existsSync(join(dir, DATABASE))) return undefined;
  const stamp = new Date(wall).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const aside = `${dir}.aside-${stamp}`;
  using _lock = lockDir(dir);
  try {
    renameSync(dir, aside);
  } catch (cause) {
    throw new StoreIoError({ dir, action: "set aside the" }, cause);
  }
  return aside;
}
