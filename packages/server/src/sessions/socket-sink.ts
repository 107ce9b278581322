/** A subscriber's bytes onto a socket: one call a batch, and honest about whether the kernel took it. */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { SubscriberEnd, SubscriberSink } from "@sluice/media/subscriber-sink";
import type { DirectWrites } from "./direct-writes.ts";
import type { WritableHandle } from "./socket-handle.ts";
import { TLS_WRITE_BYTES, type TlsTurn } from "./tls-turn.ts";

export interface SocketSinkOptions {
  readonly socket: Socket;
  readonly writes: DirectWrites;
  readonly notify: (notice: "published" | "unpublished") => void;
  readonly end: (reason: SubscriberEnd) => void;
}

const NOTHING = Buffer.alloc(0);

/** A socket hands this much to the kernel in one gathered write. */
const PLAIN_BURST_BYTES = 512 * 1024;

/** The right sink for a plain or an encrypted socket. */
export function socketSink(options: SocketSinkOptions): SubscriberSink {
  const { socket } = options;
  return socket instanceof TLSSocket ? new TlsSink(options, socket) : new PlainSink(options);
}

class PlainSink implements SubscriberSink {
  readonly burstBytes = PLAIN_BURST_BYTES;
  readonly #socket: Socket;
  readonly #writes: DirectWrites;
  /** Since a write found the socket's queue empty: a head that came before has gone, and nobody fills it again. */
  #handle: WritableHandle | undefined;
  readonly notify: SubscriberSink["notify"];
  readonly end: SubscriberSink["end"];

  constructor(options: SocketSinkOptions) {
    this.#socket = options.socket;
    this.#writes = options.writes;
    this.notify = options.notify;
    this.end = options.end;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#handle !== undefined) {
      const outcome = this.#writes.write(this.#socket, this.#handle, bytes);
      if (outcome !== "refused") return outcome === "taken";
    }
    if (isEnding(this.#socket)) return true;
    this.#socket.write(bytes);
    return this.#wasTaken();
  }

  /** Corked, so that one system call gathers all pieces. */
  writeAll(pieces: readonly Uint8Array[]): boolean {
    if (isEnding(this.#socket)) return true;
    this.#socket.cork();
    for (const piece of pieces) this.#socket.write(piece);
    this.#socket.uncork();
    return this.#wasTaken();
  }

  whenDrained(resume: () => void): void {
    resumeWhenDrained(this.#socket, resume);
  }

  #wasTaken(): boolean {
    if (this.#socket.writableLength > 0) return false;
    this.#handle ??= this.#writes.handleOf(this.#socket);
    return true;
  }
}

/** Node ends a TLS write a turn of the loop later even when the kernel took it, so one batch may be under way. */
class TlsSink implements SubscriberSink {
  readonly burstBytes = TLS_WRITE_BYTES;
  readonly #socket: Socket;
  readonly #turn: TlsTurn;
  readonly notify: SubscriberSink["notify"];
  readonly end: SubscriberSink["end"];

  constructor(options: SocketSinkOptions, socket: TLSSocket) {
    this.#socket = socket;
    this.#turn = options.writes.turnOf(socket);
    this.notify = options.notify;
    this.end = options.end;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#turn.write(bytes)) return true;
    if (isEnding(this.#socket)) return true;
    const wasFree = !this.#turn.isBusy;
    for (let at = 0; at < bytes.length; at += TLS_WRITE_BYTES)
      this.#socket.write(bytes.subarray(at, at + TLS_WRITE_BYTES));
    return wasFree;
  }

  /** Joined, as encryption reads every byte anyway and small records cost more than a copy. */
  writeAll(pieces: readonly Uint8Array[]): boolean {
    return this.write(Buffer.concat(pieces));
  }

  whenDrained(resume: () => void): void {
    resumeWhenDrained(this.#socket, resume);
  }
}

/** It takes no more: its sinks pretend that it does, until its session hears of the end and leaves the stream. */
function isEnding(socket: Socket): boolean {
  return !socket.writable;
}

/** An empty write ends when all before it has: the `drain` event would come only above the high-water mark. */
function resumeWhenDrained(socket: Socket, resume: () => void): void {
  if (isEnding(socket)) return;
  socket.write(NOTHING, (error) => {
    if (!error) resume();
  });
}
