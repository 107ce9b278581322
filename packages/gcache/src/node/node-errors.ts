/** Why a cache node cannot start, or cannot do what it was asked. */
import { StateError, UnavailableError } from "@sluice/base/errors";

/** The members, addresses and secrets that a node was given do not fit together. */
export class CacheSetupError extends StateError {
  override readonly name = "CacheSetupError";
  readonly code = "STATE_CACHE_SETUP";
  readonly context: { readonly problem: string };
  constructor(context: { readonly problem: string }) {
    super(`Cannot start cache node: ${context.problem}`);
    this.context = context;
  }
}

/** A change of the cluster was asked for that it cannot make now. */
export class CacheChangeError extends UnavailableError {
  override readonly name = "CacheChangeError";
  readonly code = "UNAVAILABLE_CACHE_CHANGE";
  readonly context: { readonly change: string; readonly reason: string };
  constructor(context: { readonly change: string; readonly reason: string }) {
    super(`Cannot ${context.change}: ${context.reason}`);
    this.context = context;
  }
}
