/** `sluice cluster`: what an operator does about the members of the state engine. */
import { join } from "node:path";
import type { Millis } from "@sluice/base/brand";
import { setStoreAside } from "@sluice/gcache/store/set-aside";
import { print } from "@sluice/runtime/process/print";
import { callAdmin } from "./admin-call.ts";
import { configOf } from "./config-of.ts";
import type { ConfigOptions } from "./config-options.ts";

/** Of a node that does not run. @throws {StoreLockedError | StoreIoError} */
export async function setAside(options: ConfigOptions): Promise<void> {
  const dir = join(configOf(options).data.dir, "cache");
  const aside = setStoreAside(dir, Date.now() as Millis);
  print(
    aside === undefined
      ? `There is no store in ${dir}\n`
      : `The store of this node is now ${aside}; started again it begins with an empty one\n`,
  );
}

/** Beyond what a member waits for its leader. */
const PATIENCE = 20_000;

/** Of a member that is gone for good. @throws {AdminCallError} with the reason where it is refused */
export async function removeMember(id: string, options: ConfigOptions): Promise<void> {
  await callAdmin(configOf(options), "DELETE", memberPath(id), PATIENCE);
  print(`Node ${id} is no member of the state engine any more\n`);
}

/** Of a node whose disk was lost. @throws {AdminCallError} likewise */
export async function replaceMember(id: string, options: ConfigOptions): Promise<void> {
  await callAdmin(configOf(options), "POST", `${memberPath(id)}/replace`, PATIENCE);
  print(
    `The former store of node ${id} counts no more: the one that it has now takes its place once it has caught up\n`,
  );
}

const memberPath = (id: string): string => `/api/v1/cluster/members/${encodeURIComponent(id)}`;
