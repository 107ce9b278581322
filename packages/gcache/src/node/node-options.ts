/** What a cache node is started with. */
import type { Clock } from "@sluice/base/clock";
import type { Crypto } from "@sluice/base/crypto";
import type { Log } from "@sluice/base/log";
import type { Meter } from "@sluice/base/meter";
import type { AckLevel } from "@sluice/cache/replica/replica-output";
import type { ReplicaLimits } from "@sluice/cache/replica/limits";
import type { ReplicaTiming } from "@sluice/cache/replica/timing";
import type { HostAndPort } from "@sluice/runtime/sockets/host-and-port";
import type { MemberLinks } from "../members/member-links.ts";
import type { NodeStore } from "../store/node-store.ts";
import type { GrowthOptions } from "./cluster-growth.ts";
import type { MemberLimits, RespLimits } from "./limits.ts";
import type { LinkTls } from "@sluice/runtime/links/link-ports";

export interface RespOptions extends HostAndPort {
  /** Clients must give it (AUTH); without one everybody who can connect is let in. */
  readonly password?: string | undefined;
}

export interface CacheNodeOptions {
  /** 1 to 128 bytes of text; of this member for the whole life of its data. */
  readonly id: string;
  /**
   * Where this member is reached by the others. Port 0, any free one, is only for a member without others, or one that
   * joins. `none`: it opens no port for members. Without `links` it then stays alone; with them the others reach it over
   * links that it dialled.
   */
  readonly address: HostAndPort | "none";
  /** Left out: it opens a port at `address` and dials for itself. */
  readonly links?: MemberLinks;
  /**
   * Id and `host:port` of all founders, this member among them: the same on all of them. `self`: it founds a cluster of
   * its own, of which it is the only member, unless a cluster calls it first. `join`: it founds nothing and waits until it
   * is added to a cluster. Only for an empty store; one that is there knows its members.
   */
  readonly founders: ReadonlyMap<string, string> | "self" | "join";
  /** With it a leader adds and promotes members by itself. */
  readonly growth?: GrowthOptions | undefined;
  /**
   * Of a member whose store was lost, and whose place nobody else may take without a word: `auto`: it asks for it by
   * itself; `manual`, as when left out: an operator gives it (`replace`).
   */
  readonly rejoin?: "manual" | "auto" | undefined;
  /** Folder of the store; without one nothing outlives the process, which then must not found with others. */
  readonly dir?: string | undefined;
  /** Instead of a folder. Closed with the node. */
  readonly store?: NodeStore;
  /** When a write is answered; `quorum` when left out. */
  readonly ackLevel?: AckLevel;
  /** Of no use with `links`, whose owner proves for all. */
  readonly secret?: Uint8Array;
  readonly tls?: LinkTls | undefined;
  /** Without it there is no RESP port. */
  readonly resp?: RespOptions | undefined;
  /** Aborting it gives up opening; a node that is open is closed by `close`. */
  readonly signal?: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  readonly crypto: Crypto;
  /** 0 to 1; `Math.random` when left out. */
  readonly random?: () => number;
  /** Runs `action` once all that this turn of the event loop brings is in; `setImmediate` when left out. */
  readonly defer?: (action: () => void) => void;
  readonly memberLimits?: Partial<MemberLimits>;
  readonly respLimits?: Partial<RespLimits>;
  readonly replicaLimits?: Partial<ReplicaLimits>;
  readonly timing?: Partial<ReplicaTiming>;
}
