/** Leaves a publisher's bytes in the kernel until its stream is about to write: one wake of the loop for several messages. */
import type { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { TLSSocket } from "node:tls";
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import { handleOf } from "./socket-handle.ts";

/** A publisher that sends this much at a time fills its wakes already, and must not fill the kernel's buffer. */
const BUSY_BYTES = 32 * 1024;

/** The poll that reads bytes comes before the second turn, the one that reads the end behind them before the third. */
const CATCH_UP_TURNS = 4;

/** Sockets that are not read, on a timer of their own; those who come after it began wait for the next one. */
interface Held {
  old: Set<Socket>;
  young: Set<Socket>;
  timer: Timer;
}

/**
 * Node offers no public way to stop a flowing socket from being read: `pause()` alone reads on, into memory. Where the
 * handle has no such methods, every message is read as it comes.
 */
export class MergedReads implements Disposable {
  readonly #clock: Clock;
  /** By how long they may be left unread. */
  readonly #held = new Map<Millis, Held>();
  #catchingUp: Promise<void> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Call behind each arrival. The socket is read again when pulled, or else one to two times `within` later (0: at once). */
  hold(socket: Socket, within: Millis, arrivedBytes: number): void {
    if (within <= 0 || this.#catchingUp !== undefined || arrivedBytes >= BUSY_BYTES || socket instanceof TLSSocket)
      return;
    if (handleOf(socket, "readStop", "readStart")?.readStop() !== 0) return;
    this.#youngOf(within).add(socket);
  }

  /** @returns whether the socket was held; then what has arrived is read in the next poll */
  pull(socket: Socket): boolean {
    for (const { old, young } of this.#held.values()) {
      if (!old.delete(socket) && !young.delete(socket)) continue;
      handleOf(socket, "readStart")?.readStart();
      return true;
    }
    return false;
  }

  /** Reads what has arrived everywhere, and resolves when that is worked through. */
  catchUp(): Promise<void> {
    if (this.#held.size > 0) this.#catchingUp ??= this.#readAll();
    return this.#catchingUp ?? Promise.resolve();
  }

  /** Everything that is held is read again. */
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

  /** The old are read again, the young are old now. */
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
