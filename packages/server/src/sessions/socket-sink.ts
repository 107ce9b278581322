/** A subscriber's bytes onto a socket: one call a batch, whose answer is whether the kernel took it. */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { SubscriberEnd, SubscriberSink } from "@sluice/media/subscriber-sink";
import type { DirectWrites } from "@sluice/runtime/sockets/direct-writes";
import type { PeerOutput } from "./peer-output.ts";
import type { WritableHandle } from "@sluice/runtime/sockets/socket-handle";
import { TLS_WRITE_BYTES, type TlsTurn } from "@sluice/runtime/sockets/tls-turn";

export interface SocketSinkOptions {
  readonly socket: Socket;
  readonly writes: DirectWrites;
  readonly output: PeerOutput;
  /** Counts on with what the peer says that it got; for sockets whose kernel buffers hide what it takes. */
  readonly heardBytes?: () => number;
  readonly notify: (notice: "published" | "unpublished") => void;
  readonly end: (reason: SubscriberEnd) => void;
}

/** A socket hands this much to the kernel in one gathered write. */
const PLAIN_BURST_BYTES = 512 * 1024;

/** The right sink for a plain or an encrypted socket. */
export function socketSink(options: SocketSinkOptions): SubscriberSink {
  const { socket } = options;
  return socket instanceof TLSSocket ? new TlsSink(options, socket) : new PlainSink(options);
}

abstract class SocketSink {
  readonly notify: SubscriberSink["notify"];
  readonly end: SubscriberSink["end"];
  protected readonly output: PeerOutput;
  readonly #heardBytes: () => number;

  constructor({ output, notify, end, heardBytes = () => 0 }: SocketSinkOptions) {
    this.output = output;
    this.notify = notify;
    this.end = end;
    this.#heardBytes = heardBytes;
  }

  get isFull(): boolean {
    return this.output.isFull;
  }

  get takenBytes(): number {
    return this.output.takenBytes + this.#heardBytes();
  }

  whenDrained(resume: () => void): void {
    this.output.whenTaken(resume);
  }
}

class PlainSink extends SocketSink implements SubscriberSink {
  readonly burstBytes = PLAIN_BURST_BYTES;
  readonly #socket: Socket;
  readonly #writes: DirectWrites;
  /** Since a write found the socket's queue empty: a head written before has left, and nothing else fills the queue. */
  #handle: WritableHandle | undefined;

  constructor(options: SocketSinkOptions) {
    super(options);
    this.#socket = options.socket;
    this.#writes = options.writes;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#handle !== undefined) {
      const outcome = this.#writes.write(this.#socket, this.#handle, bytes, this.output);
      if (outcome === "taken") return true;
      if (outcome === "queued") return this.#isBehind(0);
    }
    if (isEnding(this.#socket)) return true;
    this.#socket.write(bytes);
    return this.#wasTaken(0);
  }

  /** Corked, so that one system call gathers all pieces. */
  writeAll(pieces: readonly Uint8Array[], ownBytes: number): boolean {
    if (isEnding(this.#socket)) return true;
    this.#socket.cork();
    for (const piece of pieces) this.#socket.write(piece);
    this.#socket.uncork();
    return this.#wasTaken(ownBytes);
  }

  #isBehind(ownBytes: number): false {
    this.output.note(ownBytes, "media");
    return false;
  }

  #wasTaken(ownBytes: number): boolean {
    if (this.#socket.writableLength > 0) return this.#isBehind(ownBytes);
    this.#handle ??= this.#writes.handleOf(this.#socket);
    return true;
  }
}

/** Node ends a TLS write a turn of the loop later even when the kernel took it, so one batch may be under way. */
class TlsSink extends SocketSink implements SubscriberSink {
  readonly burstBytes = TLS_WRITE_BYTES;
  readonly #socket: Socket;
  readonly #turn: TlsTurn;

  constructor(options: SocketSinkOptions, socket: TLSSocket) {
    super(options);
    this.#socket = socket;
    this.#turn = options.writes.turnOf(socket);
  }

  write(bytes: Uint8Array): boolean {
    if (this.#turn.write(bytes)) return true;
    if (isEnding(this.#socket)) return true;
    const wasFree = !this.#turn.isBusy;
    for (let at = 0; at < bytes.length; at += TLS_WRITE_BYTES)
      this.#socket.write(bytes.subarray(at, at + TLS_WRITE_BYTES));
    if (!wasFree) this.output.note(0, "media");
    return wasFree;
  }

  /** Joined, as encryption reads every byte anyway and small records cost more than a copy. */
  writeAll(pieces: readonly Uint8Array[], ownBytes: number): boolean {
    const wasFree = this.write(Buffer.concat(pieces));
    if (ownBytes > 0 && this.output.owedBytes > 0) this.output.note(ownBytes, "media");
    return wasFree;
  }
}

/** It takes no more: sinks report success until its session has handled the end and left the stream. */
function isEnding(socket: Socket): boolean {
  return !socket.writable;
}
