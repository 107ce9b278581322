/** The replica operations of a memory engine: leases of remote clients, by token. */
import { checkTtl } from "../checks.ts";
import type { EngineReplica } from "../engine.ts";
import type { MemoryLink } from "./memory-link.ts";
import type { MemoryStore } from "./memory-store.ts";

export function openReplica(store: MemoryStore, link: MemoryLink): EngineReplica {
  return {
    grant: async (ttl) => {
      checkTtl(ttl);
      return link.exchange("lease", "write", () => store.grant(ttl));
    },
    renew: async (token) => link.exchange("renew a lease", "write", () => store.renew(token)),
    release: async (token) => link.exchange("release a lease", "write", () => store.release(token)),
    catchUp: async () => link.exchange("catch up", "read", () => {}),
  };
}
