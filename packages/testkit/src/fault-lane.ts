/** One direction of a connection through the fault proxy: a queue of bytes and stream ends, which can be delayed or lost. */
import type { Socket } from "node:net";

/** Shared by all connections of one direction; may change at any time, then call `wake`. */
export interface LaneFaults {
  cut?: "vanish" | "hold" | undefined;
  delayMillis?: number | undefined;
  bytesPerSecond?: number | undefined;
}

/** Shared by all connections of one direction. */
export interface LaneTotals {
  passedBytes: number;
  vanishedBytes: number;
}

/** FIN and RST queue behind the bytes, and are cut and delayed in the same way. */
type Item = Buffer | "fin" | "rst";

interface Waiting {
  readonly due: number;
  readonly item: Item;
}

/** Bytes one direction holds before it stops reading; more than a socket buffer, so that delays do not throttle. */
const QUEUED_BYTES = 1_048_576;
/** Interval of writes in a throttled direction. */
const SLICE_MILLIS = 20;

export class FaultLane {
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #faults: LaneFaults;
  readonly #totals: LaneTotals;
  readonly #queue: Waiting[] = [];
  #queuedBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #freeAt = 0;
  #hasFin = false;
  #hasHole = false;

  constructor(source: Socket, sink: Socket, faults: LaneFaults, totals: LaneTotals) {
    this.#source = source;
    this.#sink = sink;
    this.#faults = faults;
    this.#totals = totals;
    source.on("data", (bytes: Buffer) => this.#offer(bytes));
    source.on("end", () => this.#offer("fin"));
    source.on("close", () => {
      if (!this.#hasFin) this.#offer("rst");
    });
    sink.on("drain", () => this.wake());
  }

  /** Bytes were lost: the stream must break once the cut ends. */
  get hasHole(): boolean {
    return this.#hasHole;
  }

  /** Faults changed, or a timer fired. */
  wake(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (let head = this.#queue[0]; head !== undefined; head = this.#queue[0]) {
      if (this.#faults.cut === "vanish") {
        this.#vanish();
        break;
      }
      if (this.#faults.cut === "hold" || this.#sink.writableNeedDrain) break;
      const wait = Math.max(head.due, this.#freeAt) - performance.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.wake(), Math.ceil(wait));
        break;
      }
      this.#pass(head);
    }
    if (this.#queuedBytes <= QUEUED_BYTES) this.#source.resume();
  }

  /** Drops everything; nothing passes any more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#queue.length = 0;
    this.#hasFin = true;
    this.#source.removeAllListeners("data");
    this.#source.removeAllListeners("end");
  }

  #offer(item: Item): void {
    if (item === "fin") this.#hasFin = true;
    this.#queue.push({ due: performance.now() + (this.#faults.delayMillis ?? 0), item });
    if (typeof item !== "string") this.#queuedBytes += item.length;
    if (this.#queuedBytes > QUEUED_BYTES) this.#source.pause();
    this.wake();
  }

  #vanish(): void {
    this.#hasHole = true;
    this.#totals.vanishedBytes += this.#queuedBytes;
    this.#queuedBytes = 0;
    this.#queue.length = 0;
  }

  #pass(head: Waiting): void {
    if (head.item === "rst") {
      this.#queue.shift();
      if (!this.#sink.destroyed) this.#sink.resetAndDestroy();
    } else if (head.item === "fin") {
      this.#queue.shift();
      this.#sink.end();
    } else this.#passBytes(head.item, head.due);
  }

  #passBytes(bytes: Buffer, due: number): void {
    const { bytesPerSecond } = this.#faults;
    const most = bytesPerSecond === undefined ? bytes.length : Math.max(1, (bytesPerSecond * SLICE_MILLIS) / 1_000);
    const slice = bytes.subarray(0, most);
    if (slice.length < bytes.length) this.#queue[0] = { due, item: bytes.subarray(slice.length) };
    else this.#queue.shift();
    this.#queuedBytes -= slice.length;
    if (bytesPerSecond !== undefined) this.#freeAt = performance.now() + (slice.length * 1_000) / bytesPerSecond;
    if (this.#sink.destroyed) return;
    this.#totals.passedBytes += slice.length;
    this.#sink.write(slice);
  }
}
