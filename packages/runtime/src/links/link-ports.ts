/** Accepts and dials links on real sockets. */
import { connect, createServer, type Server, type Socket } from "node:net";
import { connect as connectTls, createServer as createTlsServer, type TlsOptions } from "node:tls";
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import type { Meter } from "@sluice/base/meter";
import type { Mesh } from "@sluice/mesh/mesh";
import type { LinkDialler, LinkTransport, TransportReceiver } from "@sluice/mesh/transport";
import { type HostAndPort, isLoopback, splitAddress } from "../sockets/host-and-port.ts";
import { listen } from "../sockets/listen.ts";
import { NO_TLS_TIMEOUT, type StrangerLimits, Strangers } from "../sockets/strangers.ts";
import type { TlsListener } from "../sockets/tls-certificate.ts";
import { SocketTransport } from "./socket-transport.ts";

/** Read for each connection, so it may change. */
export interface LinkTls {
  /** PEM; may be absent for a node that only dials. */
  readonly cert?: string;
  readonly key?: string;
  /** PEM. Both sides must present a certificate issued by these authorities. */
  readonly ca?: string;
  /** Connections within this machine may be unencrypted. */
  readonly plain?: "within-this-machine";
  /** Gives the listener every later certificate. */
  readonly attach?: (listener: TlsListener) => void;
}

/**
 * Timeout of a connection attempt before it is repeated: a machine that returns with an empty disk must be called
 * before it founds a cluster of its own. Longer than a round trip; the handshake has its own timeout.
 */
const CONNECT_WITHIN_MS = 1_000;

/** Dials over TCP, or over TLS if `tls` requires it. */
export class SocketDialler implements LinkDialler {
  readonly #tls: LinkTls | undefined;
  readonly #sockets = new Set<Socket>();

  constructor(tls: LinkTls | undefined) {
    this.#tls = tls;
  }

  /** Resolves when every connection has ended; each does soon after its link. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) if (socket.connecting) socket.destroy();
    await Promise.all(Array.from(this.#sockets, (socket) => new Promise((resolve) => socket.once("close", resolve))));
  }

  dial(address: string, receiver: TransportReceiver): LinkTransport {
    const where = splitAddress(address);
    const tls = this.#tls;
    const isPlain = tls === undefined || isPlainAllowed(tls, where.host);
    const socket = isPlain ? connect(where) : connectTls({ ...where, ...dialOptions(tls) });
    socket.setTimeout(CONNECT_WITHIN_MS, () =>
      socket.destroy(new Error(`No connection within ${CONNECT_WITHIN_MS} ms`)),
    );
    socket.once("connect", () => socket.setTimeout(0));
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    const transport = new SocketTransport({ socket });
    transport.attach(receiver, false);
    return transport;
  }
}

/**
 * Without authorities the certificate is not verified: the proof of the secret is bound to this TLS connection. With
 * authorities the name is not checked: nodes are dialled at announced addresses and prove their ids themselves.
 */
function dialOptions({ cert, key, ca }: LinkTls) {
  if (ca === undefined) return { cert, key, rejectUnauthorized: false };
  return { cert, key, ca, checkServerIdentity: () => undefined };
}

function isPlainAllowed({ plain }: LinkTls, host: string): boolean {
  return plain === "within-this-machine" && isLoopback(host);
}

export interface LinkListenerOptions {
  /** Used in logs and metrics. */
  readonly name: string;
  readonly mesh: Pick<Mesh, "accept">;
  readonly tls: LinkTls | undefined;
  readonly strangers: StrangerLimits;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  /** Called after a failed TLS handshake. */
  readonly refused: (error: Error, address: string) => void;
}

/** Accepts connections for a mesh; limits unproved connections before any byte of TLS is read. */
export class LinkListener {
  readonly #options: LinkListenerOptions;
  readonly #strangers: Strangers;
  readonly #server: Server;

  constructor(options: LinkListenerOptions) {
    const { tls, strangers: limits, clock, meter, name } = options;
    this.#options = options;
    this.#strangers = new Strangers({ limits, clock, meter });
    const accept = tls === undefined ? (socket: Socket) => this.#accept(socket) : this.#tlsAccept(tls);
    this.#server = createServer((socket) => {
      this.#strangers.admit(socket, { listener: name, deadline: "here" });
      if (!socket.destroyed) accept(socket);
    });
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

  /** Accepts no more connections; the mesh closes established links. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#strangers[Symbol.dispose]();
    await closed;
  }

  /** The TLS server does not listen itself: it is handed accepted connections. */
  #tlsAccept(tls: LinkTls): (socket: Socket) => void {
    const server = createTlsServer(serverOptions(tls), (socket) => this.#accept(socket));
    server.on("tlsClientError", (error, socket) => this.#options.refused(error, socket.remoteAddress ?? ""));
    tls.attach?.(server);
    const encrypted = (socket: Socket): void => void server.emit("connection", socket);
    return (socket) => {
      if (!isPlainAllowed(tls, socket.remoteAddress ?? "")) return encrypted(socket);
      onFirstByte(socket, (byte) => (byte === TLS_HANDSHAKE ? encrypted(socket) : this.#accept(socket)));
    };
  }

  #accept(socket: Socket): void {
    if (socket.destroyed) return;
    const transport = new SocketTransport({ socket, proved: () => this.#strangers.known(socket) });
    transport.attach(this.#options.mesh.accept(transport, socket.remoteAddress ?? ""), true);
  }
}

const TLS_HANDSHAKE = 0x16;

function serverOptions({ cert, key, ca }: LinkTls): TlsOptions {
  const asked = ca === undefined ? {} : { ca, requestCert: true, rejectUnauthorized: true };
  return { ...(cert !== undefined && { cert }), ...(key !== undefined && { key }), ...asked, ...NO_TLS_TIMEOUT };
}

/** Reads the first byte without consuming it. Ignores a connection that ends before. */
function onFirstByte(socket: Socket, then: (byte: number) => void): void {
  const onError = (): void => {};
  socket.on("error", onError);
  socket.once("readable", () => {
    const bytes = socket.read() as Buffer | null;
    if (bytes === null) return void socket.destroy();
    socket.unshift(bytes);
    socket.off("error", onError);
    then(bytes[0] as number);
  });
}
