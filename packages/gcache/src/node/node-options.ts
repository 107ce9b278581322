/** Options of a cache node. */
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
  /** Password of clients (AUTH); without one anybody who can connect is accepted. */
  readonly password?: string | undefined;
}

export interface CacheNodeOptions {
  /** 1 to 128 bytes of text; fixed for the life of the member's data. */
  readonly id: string;
  /**
   * Address for the other members. Port 0 (any free port) is only for a member without others, or one that joins.
   * `none`: opens no port for members. Without `links` it then stays alone; with them the others reach it over
   * links that it dialled.
   */
  readonly address: HostAndPort | "none";
  /** Left out: opens a port at `address` and dials for itself. */
  readonly links?: MemberLinks;
  /**
   * Id and `host:port` of all founders, including this member: equal on all of them. `self`: founds a cluster with
   * itself as the only member, unless an existing cluster calls first. `join`: waits until it is added to a cluster.
   * Applies only to an empty store; an existing store knows its members.
   */
  readonly founders: ReadonlyMap<string, string> | "self" | "join";
  /** With it a leader adds and promotes members automatically. */
  readonly growth?: GrowthOptions | undefined;
  /**
   * For a member whose store was lost, since its place is not given away silently: `auto`: asks for it by
   * itself; `manual` (default): an operator gives it (`replace`).
   */
  readonly rejoin?: "manual" | "auto" | undefined;
  /** Folder of the store; without one the data ends with the process, which then must not found with others. */
  readonly dir?: string | undefined;
  /** Used instead of a folder. Closed with the node. */
  readonly store?: NodeStore;
  /** When a write is answered; default `quorum`. */
  readonly ackLevel?: AckLevel;
  /** Unused with `links`, whose owner proves the secret for all. */
  readonly secret?: Uint8Array;
  readonly tls?: LinkTls | undefined;
  /** Without it there is no RESP port. */
  readonly resp?: RespOptions | undefined;
  /** Aborts opening; an open node is closed by `close`. */
  readonly signal?: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  readonly crypto: Crypto;
  /** 0 to 1; default `Math.random`. */
  readonly random?: () => number;
  /** Runs `action` after all input of this turn of the event loop; default `setImmediate`. */
  readonly defer?: (action: () => void) => void;
  readonly memberLimits?: Partial<MemberLimits>;
  readonly respLimits?: Partial<RespLimits>;
  readonly replicaLimits?: Partial<ReplicaLimits>;
  readonly timing?: Partial<ReplicaTiming>;
}
