/** Where links come in and how they are dialled on real sockets. */
import { connect, createServer, type Server, type Socket } from "node:net";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import type { Meter } from "@sluice/base/meter";
import type { Mesh } from "@sluice/mesh/mesh";
import type { LinkDialler, LinkTransport, TransportReceiver } from "@sluice/mesh/transport";
import { type HostAndPort, splitAddress } from "../sockets/host-and-port.ts";
import { listen } from "../sockets/listen.ts";
import { NO_TLS_TIMEOUT, type StrangerLimits, Strangers } from "../sockets/strangers.ts";
import type { TlsListener } from "../sockets/tls-certificate.ts";
import { SocketTransport } from "./socket-transport.ts";

/** Read for each connection, so that it may change. */
export interface LinkTls {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  /** Tells the listener of every change. */
  readonly attach?: (listener: TlsListener) => void;
}

/** Dials over TCP, or TLS where `tls` is given. */
export class SocketDialler implements LinkDialler {
  readonly #tls: LinkTls | undefined;

  constructor(tls: LinkTls | undefined) {
    this.#tls = tls;
  }

  /** The certificate is not looked at: the proof of the secret is bound to this very TLS connection. */
  dial(address: string, receiver: TransportReceiver): LinkTransport {
    const where = splitAddress(address);
    const tls = this.#tls && { cert: this.#tls.cert, key: this.#tls.key, rejectUnauthorized: false };
    const socket = tls === undefined ? connect(where) : connectTls({ ...where, ...tls });
    const transport = new SocketTransport({ socket });
    transport.attach(receiver, false);
    return transport;
  }
}

export interface LinkListenerOptions {
  /** In logs and metrics. */
  readonly name: string;
  readonly mesh: Pick<Mesh, "accept">;
  readonly tls: LinkTls | undefined;
  readonly strangers: StrangerLimits;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  /** A TLS handshake failed. */
  readonly refused: (error: Error) => void;
}

/** Accepts connections for a mesh, and bounds those that have not proved who they are before a byte of TLS is read. */
export class LinkListener {
  readonly #options: LinkListenerOptions;
  readonly #strangers: Strangers;
  readonly #server: Server;

  constructor(options: LinkListenerOptions) {
    const { tls, strangers: limits, clock, meter, name } = options;
    this.#options = options;
    this.#strangers = new Strangers({ limits, clock, meter });
    this.#server = tls === undefined ? createServer((socket) => this.#accept(socket)) : this.#tlsServer(tls);
    this.#server.prependListener("connection", (socket: Socket) =>
      this.#strangers.admit(socket, { listener: name, deadline: "here" }),
    );
    this.#server.on("tlsClientError", options.refused);
  }

  /** @returns `host:port` as bound. @throws {ListenError} */
  open(at: HostAndPort): Promise<string> {
    const { name, log } = this.#options;
    return listen(this.#server, {
      ...at,
      listener: name,
      failed: (error) => log.error({ err: error, listener: name }, "Cannot accept a connection"),
    });
  }

  /** Takes nothing more; links that stand are the mesh's to close. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#strangers[Symbol.dispose]();
    await closed;
  }

  #tlsServer(tls: LinkTls): Server {
    const server = createTlsServer({ cert: tls.cert, key: tls.key, ...NO_TLS_TIMEOUT }, (socket) =>
      this.#accept(socket),
    );
    tls.attach?.(server);
    return server;
  }

  #accept(socket: Socket): void {
    if (socket.destroyed) return;
    const transport = new SocketTransport({ socket, proved: () => this.#strangers.known(socket) });
    transport.attach(this.#options.mesh.accept(transport, socket.remoteAddress ?? ""), true);
  }
}
