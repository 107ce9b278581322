/** Settings and properties of a client, changed only by its own commands. */
import type { CacheName } from "../state/operation.ts";
import type { Transaction } from "./transaction.ts";
import { WatchedKeys } from "./watched-keys.ts";

export class ClientState {
  name = "";
  library = "";
  libraryVersion = "";
  database = 0;
  isAuthenticated: boolean;
  /** The client sent READONLY: a follower may answer its reads. */
  acceptsStale = false;
  /** Between MULTI and EXEC. */
  transaction: Transaction | undefined;
  readonly watched = new WatchedKeys();
  readonly channels = new Set<string>();
  readonly patterns = new Set<string>();

  constructor(options: { readonly isAuthenticated: boolean }) {
    this.isAuthenticated = options.isAuthenticated;
  }

  get cache(): CacheName {
    return String(this.database) as CacheName;
  }

  get subscriptionCount(): number {
    return this.channels.size + this.patterns.size;
  }
}

/** Databases that SELECT reaches, as in a Redis with its default configuration. */
export const DATABASE_COUNT = 16;
