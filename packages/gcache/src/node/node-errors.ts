/** Errors of a cache node at start and on requested changes. */
import { StateError, UnavailableError } from "@sluice/base/errors";

/** The members, addresses and secrets given to a node contradict each other. */
export class CacheSetupError extends StateError {
  override readonly name = "CacheSetupError";
  readonly code = "STATE_CACHE_SETUP";
  readonly context: { readonly problem: string };
  constructor(context: { readonly problem: string }) {
    super(`Cannot start cache node: ${context.problem}`);
    this.context = context;
  }
}

/** A requested change of the cluster is not possible now. */
export class CacheChangeError extends UnavailableError {
  override readonly name = "CacheChangeError";
  readonly code = "UNAVAILABLE_CACHE_CHANGE";
  readonly context: { readonly change: string; readonly reason: string };
  constructor(context: { readonly change: string; readonly reason: string }) {
    super(`Cannot ${context.change}: ${context.reason}`);
    this.context = context;
  }
}
