/** Error texts for failures of the log, not of the request; docs/decisions/010 gives the reasons. */
import type { StoreFailure } from "./command-backend.ts";

export function failureText(failure: StoreFailure): string {
  switch (failure) {
    case "not-leader":
      return "READONLY You can't write against a read only replica.";
    case "no-leader":
      return "MASTERDOWN No leader is known here: nothing was done";
    case "overloaded":
      return "TRYAGAIN Too many writes are waiting: nothing was done";
    case "too-large":
      return "ERR The write is larger than the log takes: nothing was done";
    case "removed":
      return "MASTERDOWN This member was removed from its cluster: ask another one, nothing was done";
    case "storage-failed":
      return "MISCONF The log cannot be written to disk: nothing was done";
    case "unknown-outcome":
      return "UNKNOWNOUTCOME The leader changed before the write was confirmed: it may be done or not";
  }
}

/** A read on a follower by a client without READONLY. */
export const STALE_READ_TEXT =
  "READONLY You can't read from a replica that may be behind: ask the leader, or say READONLY";
