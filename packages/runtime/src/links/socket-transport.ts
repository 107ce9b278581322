/** A TCP or TLS socket as the transport of a link. */
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { LinkTransport, TransportReceiver } from "@sluice/mesh/transport";

const BINDING_BYTES = 32;
const BINDING_LABEL = "EXPORTER-sluice-link";
/** How long queued bytes may take to go out after an end; after that the peer is not reading. */
const LINGER_MS = 2_000;

export interface SocketTransportOptions {
  readonly socket: Socket;
  /** Called once the peer has proved its identity. */
  readonly proved?: () => void;
}

export class SocketTransport implements LinkTransport {
  readonly #socket: Socket;
  readonly #proved: () => void;
  #isCorked = false;
  #isEnding = false;

  constructor({ socket, proved = () => {} }: SocketTransportOptions) {
    this.#socket = socket;
    this.#proved = proved;
    socket.setNoDelay(true);
  }

  /** @param isConnected  true for an accepted socket; a dialling socket reports it by its event */
  attach(receiver: TransportReceiver, isConnected: boolean): void {
    const socket = this.#socket;
    let failure: Error | undefined;
    socket.on("data", (bytes) => receiver.received(bytes));
    socket.on("drain", () => receiver.drained());
    socket.on("error", (error) => {
      failure = error;
    });
    socket.on("close", () => receiver.closed(failure));
    if (isConnected) receiver.connected(bindingOf(socket));
    else socket.once("encrypted" in socket ? "secureConnect" : "connect", () => receiver.connected(bindingOf(socket)));
  }

  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  /** Pieces written in one turn leave in one system call. */
  write(bytes: Uint8Array): void {
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#isCorked = false;
        this.#socket.uncork();
      });
    }
    this.#socket.write(bytes);
  }

  proved(): void {
    this.#proved();
  }

  end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#socket.destroySoon();
    setTimeout(() => this.#socket.destroy(), LINGER_MS).unref();
  }

  destroy(): void {
    this.#isEnding = true;
    this.#socket.destroy();
  }
}

/** Binds a proof to this TLS connection, so that a man in the middle cannot forward proofs. */
function bindingOf(socket: Socket): Uint8Array {
  if (!("encrypted" in socket)) return new Uint8Array(0);
  return (socket as TLSSocket).exportKeyingMaterial(BINDING_BYTES, BINDING_LABEL, Buffer.alloc(0));
}
