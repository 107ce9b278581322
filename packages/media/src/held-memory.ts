/** Counts the memory that live streams hold for joiners and slow viewers, by publishing connection and in total, and drops cached GOPs above the limits. */
import type { MemoryLimits } from "./limits.ts";

/** GOPs are dropped down to this part of the limit, so that the next frame does not exceed it again. */
const RELIEVED = 0.9;
/** Where dropping did not help, it is tried again after growth by this part of the limit. */
const RETRY = 0.01;
/** Set-up, which is never dropped, may take this part of the limit. */
const SET_UP_SHARE = 0.5;

/**
 * `gop`: the cached GOP; `set-up`: metadata and decoder set-up; both count for the connection that publishes, too.
 * `encoded`: frames encoded for viewers; they count for the node alone.
 */
export type HeldKind = "gop" | "set-up" | "encoded";

/** The memory of several streams together. */
class Total {
  readonly accounts = new Set<MemoryAccount>();
  readonly #limit: number;
  #bytes = 0;
  #setUpBytes = 0;
  #dropped = 0;
  #tryAbove: number;

  constructor(limit: number) {
    this.#limit = limit;
    this.#tryAbove = limit;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Cached GOPs dropped so far since it was exceeded. */
  get dropped(): number {
    return this.#dropped;
  }

  hasRoomForSetUp(byteCount: number): boolean {
    return this.#setUpBytes + byteCount <= this.#limit * SET_UP_SHARE;
  }

  add(kind: HeldKind, delta: number): void {
    this.#bytes += delta;
    if (kind === "set-up") this.#setUpBytes += delta;
    if (this.#bytes <= this.#limit) this.#tryAbove = this.#limit;
    else if (delta > 0 && this.#bytes > this.#tryAbove) this.#relieve();
  }

  /** The largest first: that frees most while the fewest streams lose their GOP. */
  #relieve(): void {
    const bySize = [...this.accounts].sort((a, b) => b.droppableBytes - a.droppableBytes);
    for (const account of bySize) {
      if (this.#bytes <= this.#limit * RELIEVED || account.droppableBytes === 0) break;
      account.dropGop();
      this.#dropped++;
    }
    this.#tryAbove = Math.max(this.#limit, this.#bytes + this.#limit * RETRY);
  }
}

export class HeldMemory {
  readonly limits: MemoryLimits;
  readonly #node: Total;
  readonly #connections = new Map<string, Total>();
  #droppedOfConnections = 0;

  constructor(limits: MemoryLimits) {
    this.limits = limits;
    this.#node = new Total(limits.nodeBytes);
  }

  /** Of all streams. */
  get bytes(): number {
    return this.#node.bytes;
  }

  /** Cached GOPs dropped so far, by whose limit was exceeded. */
  get dropped(): Readonly<Record<"connection" | "node", number>> {
    let connection = this.#droppedOfConnections;
    for (const total of this.#connections.values()) connection += total.dropped;
    return { connection, node: this.#node.dropped };
  }

  /** @param owner  the stream, whose cached GOP may be dropped at any time, also while it adds a frame */
  open(owner: GopOwner): MemoryAccount {
    const account = new MemoryAccount(this, this.#node, owner);
    this.#node.accounts.add(account);
    return account;
  }

  /** For accounts. */
  enter(connection: string, account: MemoryAccount): Total {
    const total = this.#connections.get(connection) ?? new Total(this.limits.connectionBytes);
    this.#connections.set(connection, total);
    total.accounts.add(account);
    return total;
  }

  /** For accounts. */
  leave(connection: string, account: MemoryAccount): void {
    const total = this.#connections.get(connection);
    if (total?.accounts.delete(account) !== true || total.accounts.size > 0) return;
    this.#connections.delete(connection);
    this.#droppedOfConnections += total.dropped;
  }
}

export interface GopOwner {
  /** Bytes of the cached GOP, its encoded forms included. */
  gopBytes(): number;
  dropGop(): void;
}

/** One stream's share. */
export class MemoryAccount {
  readonly #memory: HeldMemory;
  readonly #node: Total;
  readonly #owner: GopOwner;
  readonly #bytes: Record<HeldKind, number> = { gop: 0, "set-up": 0, encoded: 0 };
  #connection: { readonly id: string; readonly total: Total } | undefined;

  constructor(memory: HeldMemory, node: Total, owner: GopOwner) {
    this.#memory = memory;
    this.#node = node;
    this.#owner = owner;
  }

  get droppableBytes(): number {
    return this.#owner.gopBytes();
  }

  dropGop(): void {
    this.#owner.dropGop();
  }

  /** What the stream holds counts for this connection from here on; `undefined`: for none. */
  assign(connection: string | undefined): void {
    const before = this.#connection;
    if (before?.id === connection) return;
    this.#connection = undefined;
    if (before !== undefined) {
      before.total.add("gop", -this.#bytes.gop);
      before.total.add("set-up", -this.#bytes["set-up"]);
      this.#memory.leave(before.id, this);
    }
    if (connection === undefined) return;
    const total = this.#memory.enter(connection, this);
    this.#connection = { id: connection, total };
    total.add("set-up", this.#bytes["set-up"]);
    total.add("gop", this.#bytes.gop);
  }

  /** Sets how many bytes of one kind the stream holds. This may drop cached GOPs, the stream's own included. */
  hold(kind: HeldKind, byteCount: number): void {
    const delta = byteCount - this.#bytes[kind];
    if (delta === 0) return;
    this.#bytes[kind] = byteCount;
    if (kind !== "encoded") this.#connection?.total.add(kind, delta);
    this.#node.add(kind, delta);
  }

  hasRoomForSetUp(byteCount: number): boolean {
    return (this.#connection?.total.hasRoomForSetUp(byteCount) ?? true) && this.#node.hasRoomForSetUp(byteCount);
  }

  close(): void {
    for (const kind of ["gop", "set-up", "encoded"] as const) this.hold(kind, 0);
    this.assign(undefined);
    this.#node.accounts.delete(this);
  }
}
