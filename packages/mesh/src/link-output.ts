/** Output of one end of a link: frames about the link first, then frames of channels in their order, within the window. */
import type { Millis } from "@sluice/base/brand";
import { ByteWriter } from "@sluice/bytes/byte-writer";
import type { Channel } from "./channel.ts";
import type { FlightWindow } from "./flight-window.ts";
import { FRAME_HEADER_BYTES, FRAME_TYPE, putFrameHeader } from "./frame.ts";
import { SendOrder } from "./send-order.ts";

/** Bytes of small frames that one call of `next` gathers. */
const BATCH_BYTES = 16 * 1024;
/** Payloads of at least this size are sent without a copy. */
const UNCOPIED_BYTES = 4 * 1024;

export interface LinkOutputOptions {
  readonly window: FlightWindow;
  /** Payload bytes of one frame. */
  readonly frameBytes: number;
  /** Forgets a channel that is closing and has sent all its messages. @returns the closing frame */
  readonly close: (channel: Channel) => Uint8Array;
  /** A message was sent completely. */
  readonly sent: (channel: Channel) => void;
}

export class LinkOutput {
  readonly #options: LinkOutputOptions;
  readonly #order = new SendOrder();
  /** Frames about the link and its channels, sent before all others. */
  #urgent: Uint8Array[] = [];
  readonly #ready: Uint8Array[] = [];

  constructor(options: LinkOutputOptions) {
    this.#options = options;
  }

  /** Queues a whole frame that bypasses window and credit. */
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

  /** Output allowed even when no channel may send: the handshake and a goodbye. */
  nextUrgent(): Uint8Array | undefined {
    return this.#ready.shift() ?? this.#urgent.shift();
  }

  /** Queues what channels of class `control` still have to send, before the link ends. */
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

  /** Joins runs of small pieces into one write; large pieces stay as they are. */
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
