/** Reads publishers in beats where nobody would have their frames sooner: one wake of the loop for several messages. */
import type { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { TLSSocket } from "node:tls";
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";

/** A publisher that sends this much between two beats fills its wakes already, and must not fill the kernel's buffer. */
const BUSY_BYTES = 32 * 1024;

/** The poll that reads bytes comes before the second turn, the one that reads the end behind them before the third. */
const CATCH_UP_TURNS = 4;

/**
 * Node offers no public way to stop a flowing socket from being read: `pause()` alone reads on, into memory. Where the
 * handle has no such methods, every message is read as it comes.
 */
interface ReadableHandle {
  readStart(): number;
  readStop(): number;
}

export class MergedReads implements Disposable {
  readonly #clock: Clock;
  /** Sockets that wait for a beat, by its length; all of one length share a timer. */
  readonly #waiting = new Map<Millis, { readonly sockets: Set<Socket>; readonly timer: Timer }>();

  #catchingUp: Promise<void> | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Call behind each arrival. The socket is read again a beat later. @param beat  0 reads on at once */
  settle(socket: Socket, beat: Millis, arrivedBytes: number): void {
    if (beat <= 0 || this.#catchingUp !== undefined || arrivedBytes >= BUSY_BYTES || socket instanceof TLSSocket)
      return;
    if (handleOf(socket)?.readStop() !== 0) return;
    this.#beatOf(beat).sockets.add(socket);
  }

  /** Reads what has arrived everywhere, and resolves when that is worked through. */
  catchUp(): Promise<void> {
    if (this.#waiting.size > 0) this.#catchingUp ??= this.#readAll();
    return this.#catchingUp ?? Promise.resolve();
  }

  /** Everything that waits is read again. */
  [Symbol.dispose](): void {
    this.#releaseAll();
  }

  async #readAll(): Promise<void> {
    this.#releaseAll();
    for (let turn = 0; turn < CATCH_UP_TURNS; turn++) await setImmediate();
    this.#catchingUp = undefined;
  }

  #releaseAll(): void {
    for (const [beat, { timer }] of this.#waiting) {
      timer.cancel();
      this.#release(beat);
    }
  }

  #beatOf(beat: Millis): { readonly sockets: Set<Socket> } {
    const known = this.#waiting.get(beat);
    if (known !== undefined) return known;
    const fresh = { sockets: new Set<Socket>(), timer: this.#clock.after(beat, () => this.#release(beat)) };
    this.#waiting.set(beat, fresh);
    return fresh;
  }

  #release(beat: Millis): void {
    const waiting = this.#waiting.get(beat);
    this.#waiting.delete(beat);
    for (const socket of waiting?.sockets ?? []) handleOf(socket)?.readStart();
  }
}

/** None once the socket is destroyed. */
function handleOf(socket: Socket): ReadableHandle | undefined {
  const handle = (socket as unknown as { readonly _handle?: Partial<ReadableHandle> | null })._handle;
  const has = typeof handle?.readStop === "function" && typeof handle.readStart === "function";
  return has ? (handle as ReadableHandle) : undefined;
}
