/** `sluice cluster`: what an operator does about the members of the state engine. */
import { join } from "node:path";
import type { Millis } from "@sluice/base/brand";
import { setStoreAside } from "@sluice/gcache/store/set-aside";
import { print } from "@sluice/runtime/process/print";
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
