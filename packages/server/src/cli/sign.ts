/** `sluice sign publish|play KEY`: prints the path and query of a signed URL. */
import { findStreamKey, urlPathOf } from "@sluice/media/stream-key";
import { signGrant } from "../auth/signed-url.ts";
import { findDuration } from "../config/kinds-units.ts";
import { configOf } from "./config-of.ts";
import type { ConfigOptions } from "./config-options.ts";
import { UsageError } from "@sluice/runtime/process/usage-error";
import { print } from "@sluice/runtime/process/print";

export interface SignOptions extends ConfigOptions {
  /** Duration from now. */
  readonly expires: string;
}

/** @param now  wall clock, milliseconds */
export function sign(action: string, path: string, options: SignOptions, now = Date.now()): void {
  if (action !== "publish" && action !== "play")
    throw new UsageError(`Cannot sign "${action}": it must be publish or play`);
  const key = findStreamKey(path);
  if (key === undefined) throw new UsageError(`Cannot sign for "${path}": it is no stream key such as live/cam`);
  const validFor = findDuration(options.expires);
  if (validFor === undefined || validFor < 1_000)
    throw new UsageError(`Cannot sign until "${options.expires}": write a duration such as 30m, 1h`);
  const secret = configOf(options).secrets.signedSecret;
  if (secret === undefined)
    throw new UsageError("Cannot sign: auth.signed.secret or auth.signed.secretFile is not set");
  const expires = Math.floor((now + validFor) / 1_000);
  print(`${urlPathOf(key)}?expires=${expires}&sign=${signGrant(secret, { action, key, expires })}\n`);
}
