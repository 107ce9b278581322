/** What waits in this process until its peer takes it: measured per connection, bounded there and in all. */
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { DirectWrites } from "@sluice/runtime/sockets/direct-writes";
import type { OutputLimits } from "./limits.ts";
import { type DirectQueue, takenBytes } from "@sluice/runtime/sockets/socket-handle";

const NOTHING = Buffer.alloc(0);
/** Below `crowdedPeerBytes`, so that who is full is behind. */
const BEHIND_BYTES = 32 * 1024;

/** All connections of the node together. */
export class NodeOutput {
  readonly limits: OutputLimits;
  readonly clock: Clock;
  readonly #writes: DirectWrites;
  readonly #peers = new WeakMap<Socket, PeerOutput>();
  #totalBytes = 0;

  constructor(options: { readonly clock: Clock; readonly writes: DirectWrites; readonly limits: OutputLimits }) {
    this.limits = options.limits;
    this.clock = options.clock;
    this.#writes = options.writes;
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** No new session is to be opened. */
  get isFull(): boolean {
    return this.#totalBytes >= this.limits.totalBytes;
  }

  /** What one connection may leave waiting now. */
  get peerBytes(): number {
    const { peerBytes, crowdedPeerBytes, totalBytes } = this.limits;
    return this.#totalBytes * 2 < totalBytes ? peerBytes : Math.min(peerBytes, crowdedPeerBytes);
  }

  /** Bytes more, or fewer, that wait for one of the peers. */
  count(byteCount: number): void {
    this.#totalBytes += byteCount;
  }

  /** The same for all who write to this socket. */
  of(socket: Socket): PeerOutput {
    const known = this.#peers.get(socket);
    if (known !== undefined) return known;
    const turn = socket instanceof TLSSocket ? this.#writes.turnOf(socket) : undefined;
    const fresh = new PeerOutput(this, socket, turn);
    this.#peers.set(socket, fresh);
    return fresh;
  }
}

/** Looked at only by writers that were not taken whole: who keeps up costs nothing. */
export class PeerOutput implements DirectQueue {
  queuedBytes = 0;
  readonly #node: NodeOutput;
  readonly #socket: Socket;
  /** Counts in its place what goes past the stream. */
  readonly #queue: DirectQueue;
  /** Of what waits, at most: bytes made for this peer alone, and those of them that are the session's own words. */
  #ownBytes = 0;
  #dialogueBytes = 0;
  #countedBytes = 0;
  #owingSince: Millis | undefined;
  /** Called once what was written past the stream has been taken. */
  #afterDirect: (() => void)[] = [];
  /** Of a connection above its limit: what its transport had taken, and since when no more. */
  #taken = 0;
  #takenAt: Millis | undefined;

  constructor(node: NodeOutput, socket: Socket, turn: DirectQueue | undefined) {
    this.#node = node;
    this.#socket = socket;
    this.#queue = turn ?? this;
    socket.once("close", () => this.#forget());
  }

  get owedBytes(): number {
    return this.#socket.writableLength + this.#queue.queuedBytes;
  }

  /** Counts on as the kernel takes what was written. */
  get takenBytes(): number {
    return takenBytes(this.#socket);
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
    return owed > this.#node.peerBytes;
  }

  /** The session goes on talking to a peer that does not listen. */
  get isOverdrawn(): boolean {
    const { peerBytes, overdraftBytes } = this.#node.limits;
    const most = peerBytes + overdraftBytes;
    if (this.#dialogueBytes <= most) return false;
    this.#settle(this.owedBytes);
    return this.#dialogueBytes > most;
  }

  /** Call behind a write that was not taken whole. */
  note(ownBytes: number, kind: "media" | "dialogue"): void {
    this.#ownBytes += ownBytes;
    if (kind === "dialogue") this.#dialogueBytes += ownBytes;
    this.#settle(this.owedBytes);
  }

  /**
   * To be asked about once a second.
   *
   * @param isHeld  whether its session waits for it to take what it owed when it was full
   * @returns whether it is full, or held, and has taken nothing for too long
   */
  isStalled(now: Millis, isHeld: boolean): boolean {
    const taken = this.isFull || isHeld ? this.takenBytes : undefined;
    if (taken === undefined || taken !== this.#taken) this.#takenAt = undefined;
    if (taken === undefined) return false;
    this.#taken = taken;
    this.#takenAt ??= now;
    return now - this.#takenAt >= this.#node.limits.stallTimeout;
  }

  /**
   * Calls back once when all that waits now has been taken; never when the socket dies first. An empty write ends when
   * all before it in the stream has: the `drain` event would come only above the high-water mark. What went past the
   * stream is waited for by itself: the system may have taken it and report so in the next turn of the loop, and an
   * empty write would end in this one.
   */
  whenTaken(resume: () => void): void {
    if (!this.#socket.writable) return;
    if (this.queuedBytes > 0) return void this.#afterDirect.push(() => this.whenTaken(resume));
    this.#socket.write(NOTHING, (error) => {
      if (!error) resume();
    });
  }

  drained(): void {
    const waiting = this.#afterDirect;
    if (waiting.length === 0) return;
    this.#afterDirect = [];
    for (const go of waiting) go();
  }

  #settle(owed: number): void {
    const { clock, limits } = this.#node;
    if (owed === 0) return this.#forget();
    const now = clock.now();
    this.#owingSince ??= now;
    this.#ownBytes = Math.min(this.#ownBytes, owed);
    this.#dialogueBytes = Math.min(this.#dialogueBytes, owed);
    const isOld = now - this.#owingSince >= limits.sharedAge;
    this.#count(isOld ? owed : this.#ownBytes);
  }

  #forget(): void {
    this.#ownBytes = 0;
    this.#dialogueBytes = 0;
    this.#owingSince = undefined;
    this.#count(0);
  }

  #count(bytes: number): void {
    if (bytes === this.#countedBytes) return;
    this.#node.count(bytes - this.#countedBytes);
    this.#countedBytes = bytes;
  }
}
