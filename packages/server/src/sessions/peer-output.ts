/** What waits in this process until its peer takes it: measured per connection, bounded there and in all. */
import type { Socket } from "node:net";
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { DirectWrites } from "./direct-writes.ts";
import type { OutputLimits } from "./limits.ts";
import { type DirectQueue, takenBytes } from "./socket-handle.ts";

const NOTHING = Buffer.alloc(0);
/** Below `crowdedPeerBytes`, so that who is full is behind. */
const BEHIND_BYTES = 32 * 1024;

/** All connections of the node together. */
export class NodeOutput {
  readonly #clock: Clock;
  readonly #writes: DirectWrites;
  readonly #limits: OutputLimits;
  readonly #peers = new WeakMap<Socket, PeerOutput>();
  #totalBytes = 0;

  constructor(options: { readonly clock: Clock; readonly writes: DirectWrites; readonly limits: OutputLimits }) {
    this.#clock = options.clock;
    this.#writes = options.writes;
    this.#limits = options.limits;
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** No new session is to be opened. */
  get isFull(): boolean {
    return this.#totalBytes >= this.#limits.totalBytes;
  }

  /** What one connection may leave waiting now. */
  get peerBytes(): number {
    const { peerBytes, crowdedPeerBytes, totalBytes } = this.#limits;
    return this.#totalBytes * 2 < totalBytes ? peerBytes : Math.min(peerBytes, crowdedPeerBytes);
  }

  /** The same for all who write to this socket. */
  of(socket: Socket): PeerOutput {
    const known = this.#peers.get(socket);
    if (known !== undefined) return known;
    const fresh = new PeerOutput({
      socket,
      queue: this.#writes.queueOf(socket),
      node: this,
      clock: this.#clock,
      limits: this.#limits,
      count: (byteCount) => {
        this.#totalBytes += byteCount;
      },
    });
    this.#peers.set(socket, fresh);
    return fresh;
  }
}

interface PeerOutputOptions {
  readonly socket: Socket;
  readonly queue: DirectQueue;
  readonly node: NodeOutput;
  readonly clock: Clock;
  readonly limits: OutputLimits;
  /** Bytes more, or fewer, that count for the node. */
  readonly count: (byteCount: number) => void;
}

/** Looked at only by writers that were not taken whole: who keeps up costs nothing. */
export class PeerOutput {
  readonly #options: PeerOutputOptions;
  /** Since nothing waited: bytes made for this peer alone, and those of them that are the session's own words. */
  #ownBytes = 0;
  #dialogueBytes = 0;
  #countedBytes = 0;
  #owingSince: Millis | undefined;
  /** Of a connection above its limit: what its transport had taken, and since when no more. */
  #taken = 0;
  #takenAt: Millis | undefined;

  constructor(options: PeerOutputOptions) {
    this.#options = options;
    options.socket.once("close", () => this.#forget());
  }

  get owedBytes(): number {
    const { socket, queue } = this.#options;
    return socket.writableLength + queue.queuedBytes;
  }

  /** Counts on as the kernel takes what was written. */
  get takenBytes(): number {
    return takenBytes(this.#options.socket);
  }

  /** More waits than a peer that reads leaves. */
  get isBehind(): boolean {
    return this.owedBytes > BEHIND_BYTES;
  }

  /** Nothing more is to be read from it or burst to it. */
  get isFull(): boolean {
    const owed = this.owedBytes;
    if (owed === 0 && this.#owingSince === undefined) return false;
    this.#settle(owed);
    return owed > this.#options.node.peerBytes;
  }

  /** The session goes on talking to a peer that does not listen. */
  get isOverdrawn(): boolean {
    const { peerBytes, overdraftBytes } = this.#options.limits;
    return this.#dialogueBytes > peerBytes + overdraftBytes;
  }

  /** Call behind a write that was not taken whole. */
  note(ownBytes: number, kind: "media" | "dialogue"): void {
    this.#ownBytes += ownBytes;
    if (kind === "dialogue") this.#dialogueBytes += ownBytes;
    this.#settle(this.owedBytes);
  }

  /** @returns whether it is above its limit and has taken nothing for too long; to be asked about once a second */
  isStalled(now: Millis): boolean {
    const taken = this.isFull ? this.takenBytes : undefined;
    if (taken === undefined || taken !== this.#taken) this.#takenAt = undefined;
    if (taken === undefined) return false;
    this.#taken = taken;
    this.#takenAt ??= now;
    return now - this.#takenAt >= this.#options.limits.stallTimeout;
  }

  /**
   * Calls back once when all that waits now has been taken; never when the socket dies first. An empty write ends when
   * all before it has: the `drain` event would come only above the high-water mark.
   */
  whenTaken(resume: () => void): void {
    const { socket } = this.#options;
    if (!socket.writable) return;
    socket.write(NOTHING, (error) => {
      if (!error) resume();
    });
  }

  #settle(owed: number): void {
    const { clock, limits } = this.#options;
    if (owed === 0) return this.#forget();
    const now = clock.now();
    this.#owingSince ??= now;
    const isOld = now - this.#owingSince >= limits.sharedAge;
    this.#count(isOld ? owed : Math.min(owed, this.#ownBytes));
  }

  #forget(): void {
    this.#ownBytes = 0;
    this.#dialogueBytes = 0;
    this.#owingSince = undefined;
    this.#count(0);
  }

  #count(bytes: number): void {
    if (bytes === this.#countedBytes) return;
    this.#options.count(bytes - this.#countedBytes);
    this.#countedBytes = bytes;
  }
}
