/** Leaves a publisher's bytes in the kernel until its stream is about to write: one wake-up of the loop for several messages. */
import type { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { TLSSocket } from "node:tls";
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import { handleOf } from "./socket-handle.ts";

/** A publisher that sends this much at a time is read at once: merging gains nothing and could fill the kernel's buffer. */
const BUSY_BYTES = 32 * 1024;

/** The poll that reads the bytes comes before the second turn; the one that reads the end of the stream, before the third. */
const CATCH_UP_TURNS = 4;

/** Sockets left unread, by one timer; sockets held after it started wait for the next one. */
interface Held {
  old: Set<Socket>;
  young: Set<Socket>;
  timer: Timer;
}

/**
 * Node has no public way to stop reading a flowing socket: `pause()` alone reads on, into memory. If the handle has no
 * such methods, every message is read as it comes.
 */
export class MergedReads implements Disposable {
  readonly #clock: Clock;
  /** By the longest time they may be left unread. */
  readonly #held = new Map<Millis, Held>();
  #catchingUp: Promise<void> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Call after each arrival. The socket is read again when pulled, or else one to two times `within` later (0: at once). */
  hold(socket: Socket, within: Millis, arrivedBytes: number): void {
    if (within <= 0 || this.#catchingUp !== undefined || arrivedBytes >= BUSY_BYTES || socket instanceof TLSSocket)
      return;
    if (handleOf(socket, "readStop", "readStart")?.readStop() !== 0) return;
    this.#youngOf(within).add(socket);
  }

  /** @returns whether the socket was held; if so, its bytes are read in the next poll */
  pull(socket: Socket): boolean {
    for (const { old, young } of this.#held.values()) {
      if (!old.delete(socket) && !young.delete(socket)) continue;
      handleOf(socket, "readStart")?.readStart();
      return true;
    }
    return false;
  }

  /** Reads what has arrived on all sockets, and resolves when that is handled. */
  catchUp(): Promise<void> {
    if (this.#held.size > 0) this.#catchingUp ??= this.#readAll();
    return this.#catchingUp ?? Promise.resolve();
  }

  /** Resumes reading of all held sockets. */
  [Symbol.dispose](): void {
    this.#releaseAll();
  }

  #youngOf(within: Millis): Set<Socket> {
    const known = this.#held.get(within);
    if (known !== undefined) return known.young;
    const fresh = { old: new Set<Socket>(), young: new Set<Socket>(), timer: this.#arm(within) };
    this.#held.set(within, fresh);
    return fresh.young;
  }

  #arm(within: Millis): Timer {
    return this.#clock.after(within, () => this.#age(within));
  }

  /** Resumes the old ones; the young ones become old. */
  #age(within: Millis): void {
    const held = this.#held.get(within);
    if (held === undefined) return;
    read(held.old);
    held.old = held.young;
    held.young = new Set();
    if (held.old.size === 0) this.#held.delete(within);
    else held.timer = this.#arm(within);
  }

  async #readAll(): Promise<void> {
    this.#releaseAll();
    for (let turn = 0; turn < CATCH_UP_TURNS; turn++) await setImmediate();
    this.#catchingUp = undefined;
  }

  #releaseAll(): void {
    for (const { old, young, timer } of this.#held.values()) {
      timer.cancel();
      read(old);
      read(young);
    }
    this.#held.clear();
  }
}

function read(sockets: Iterable<Socket>): void {
  for (const socket of sockets) handleOf(socket, "readStart")?.readStart();
}
