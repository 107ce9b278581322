/** What the unfinished messages of all connections that share it may take together. */
import type { RtmpLimits } from "./limits.ts";

/**
 * Who publishes may send frames of any legal size; everybody else says little, and there may be more of them. Media may
 * come early while a connection is `opening`; that of an `idle` one goes nowhere.
 */
export type PartialRole = "publishing" | "opening" | "idle";

export interface PartialPool {
  /** Of one connection. */
  readonly connectionBytes: number;
  /** Of one connection, without touching the pool: small messages must pass however full it is. */
  readonly freeBytes: number;
  readonly totalBytes: number;
  usedBytes: number;
}

const IDLE_FREE_BYTES = 8 * 1024;
const PUBLISHING_FREE_BYTES = 256 * 1024;

export class PartialPools {
  readonly #publishing: PartialPool;
  readonly #others: PartialPool;

  constructor(limits: RtmpLimits) {
    const { partialBytes, idlePartialBytes, partialTotalBytes, idlePartialTotalBytes } = limits;
    this.#publishing = {
      connectionBytes: partialBytes,
      freeBytes: PUBLISHING_FREE_BYTES,
      totalBytes: partialTotalBytes,
      usedBytes: 0,
    };
    this.#others = {
      connectionBytes: idlePartialBytes,
      freeBytes: IDLE_FREE_BYTES,
      totalBytes: idlePartialTotalBytes,
      usedBytes: 0,
    };
  }

  poolOf(role: PartialRole): PartialPool {
    return role === "publishing" ? this.#publishing : this.#others;
  }
}
