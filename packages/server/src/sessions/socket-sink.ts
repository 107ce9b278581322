/** A subscriber's bytes onto a socket: one call a batch, and honest about whether the kernel took it. */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { SubscriberEnd, SubscriberSink } from "@sluice/media/subscriber-sink";

export interface SocketSinkOptions {
  readonly socket: Socket;
  readonly notify: (notice: "published" | "unpublished") => void;
  readonly end: (reason: SubscriberEnd) => void;
}

const NOTHING = Buffer.alloc(0);

export class SocketSink implements SubscriberSink {
  readonly #socket: Socket;
  readonly notify: SubscriberSink["notify"];
  readonly end: SubscriberSink["end"];

  constructor(options: SocketSinkOptions) {
    this.#socket = options.socket;
    this.notify = options.notify;
    this.end = options.end;
  }

  write(bytes: Uint8Array): boolean {
    this.#socket.write(bytes);
    return this.#socket.writableLength === 0;
  }

  /** Corked, so that one system call gathers all pieces. */
  writeAll(pieces: readonly Uint8Array[]): boolean {
    this.#socket.cork();
    for (const piece of pieces) this.#socket.write(piece);
    this.#socket.uncork();
    return this.#socket.writableLength === 0;
  }

  /** An empty write ends when all before it has: the `drain` event would come only above the high-water mark. */
  whenDrained(resume: () => void): void {
    this.#socket.write(NOTHING, (error) => {
      if (!error) resume();
    });
  }
}
