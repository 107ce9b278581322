/** What one end of a link owes its peer: frames about the link first, then those of channels in their order, as far as the window goes. */
import type { Millis } from "@sluice/base/brand";
import { ByteWriter } from "@sluice/bytes/byte-writer";
import type { Channel } from "./channel.ts";
import type { FlightWindow } from "./flight-window.ts";
import { FRAME_HEADER_BYTES, FRAME_TYPE, putFrameHeader } from "./frame.ts";
import { SendOrder } from "./send-order.ts";

/** Bytes that one call of `next` gathers from small frames. */
const BATCH_BYTES = 16 * 1024;
/** A payload from this size on goes out as it is, without a copy. */
const UNCOPIED_BYTES = 4 * 1024;

export interface LinkOutputOptions {
  readonly window: FlightWindow;
  /** Payload bytes of one frame. */
  readonly frameBytes: number;
  /** A channel whose messages have all gone and that is to be closed: forget it. @returns the frame that says so */
  readonly close: (channel: Channel) => Uint8Array;
  /** A message went out whole. */
  readonly sent: (channel: Channel) => void;
}

export class LinkOutput {
  readonly #options: LinkOutputOptions;
  readonly #order = new SendOrder();
  /** Frames about the link and its channels: they go before all others. */
  #urgent: Uint8Array[] = [];
  readonly #ready: Uint8Array[] = [];

  constructor(options: LinkOutputOptions) {
    this.#options = options;
  }

  /** Whole frames, which wait for nothing. */
  urgent(frame: Uint8Array): void {
    this.#urgent.push(frame);
  }

  /** The channel has something to send. */
  add(channel: Channel): void {
    this.#order.add(channel);
  }

  remove(channel: Channel): void {
    this.#order.remove(channel);
  }

  /** What is owed even where no channel may send any more: the handshake, and a goodbye. */
  nextUrgent(): Uint8Array | undefined {
    return this.#ready.shift() ?? this.#urgent.shift();
  }

  /** What is owed on channels of class `control`, to go out before the link ends. */
  flushControl(now: Millis): void {
    const batch: Uint8Array[] = this.#urgent;
    this.#urgent = [];
    for (let channel = this.#order.take("control"); channel !== undefined; channel = this.#order.take("control")) {
      const byteCount = this.#takeFrame(channel, batch);
      this.#options.window.sent(byteCount, now);
      if (channel.hasOutput) this.#order.add(channel);
    }
    this.#pack(batch);
  }

  next(now: Millis): Uint8Array | undefined {
    if (this.#ready.length === 0) this.#fill(now);
    return this.#ready.shift();
  }

  #fill(now: Millis): void {
    const { window } = this.#options;
    const batch: Uint8Array[] = this.#urgent;
    this.#urgent = [];
    let byteCount = batch.reduce((sum, bytes) => sum + bytes.length, 0);
    window.sent(byteCount, now);
    while (byteCount < BATCH_BYTES) {
      const channel = this.#order.take(window.hasRoom() ? "all" : "control");
      if (channel === undefined) break;
      const before = byteCount;
      byteCount += this.#takeFrame(channel, batch);
      window.sent(byteCount - before, now);
      if (channel.hasOutput) this.#order.add(channel);
    }
    this.#pack(batch);
  }

  /** @returns bytes added to the batch */
  #takeFrame(channel: Channel, batch: Uint8Array[]): number {
    const part = channel.takePart(this.#options.frameBytes);
    if (part === undefined) return 0;
    if (part === "close") {
      const frame = this.#options.close(channel);
      batch.push(frame);
      return frame.length;
    }
    const header = new Uint8Array(FRAME_HEADER_BYTES);
    const type = part.isEnd ? FRAME_TYPE.end : FRAME_TYPE.part;
    putFrameHeader(header, 0, { type, channel: channel.id, length: part.bytes.length });
    batch.push(header, part.bytes);
    if (part.isEnd) this.#options.sent(channel);
    return FRAME_HEADER_BYTES + part.bytes.length;
  }

  /** Joins runs of small pieces, so that they leave in one write; large ones stay as they are. */
  #pack(batch: readonly Uint8Array[]): void {
    let run: Uint8Array[] = [];
    for (const bytes of batch) {
      if (bytes.length < UNCOPIED_BYTES) {
        run.push(bytes);
        continue;
      }
      this.#pushRun(run);
      run = [];
      this.#ready.push(bytes);
    }
    this.#pushRun(run);
  }

  #pushRun(run: readonly Uint8Array[]): void {
    if (run.length === 0) return;
    const w = new ByteWriter(run.reduce((sum, bytes) => sum + bytes.length, 0));
    for (const bytes of run) w.bytes(bytes);
    this.#ready.push(w.finish());
  }
}
