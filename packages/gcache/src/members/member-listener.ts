/** Where members are heard: accepts their connections, lets them prove themselves, passes their messages on. */
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { WireError } from "@sluice/bytes/wire-error";
import { listen } from "@sluice/runtime/sockets/listen";
import { NO_TLS_TIMEOUT, Strangers } from "@sluice/runtime/sockets/strangers";
import type { HostAndPort } from "@sluice/runtime/sockets/host-and-port";
import { FramedSocket } from "./framed-socket.ts";
import { AcceptHandshake } from "./member-handshake.ts";
import { handshakePorts, type MemberPorts, type MemberTls } from "./member-ports.ts";

interface Incoming {
  readonly socket: FramedSocket;
  /** Id of the member; undefined while it has not proved itself. */
  from: string | undefined;
  heardNothing: number;
}

export class MemberListener {
  readonly #ports: MemberPorts;
  readonly #server: Server;
  readonly #strangers: Strangers;
  readonly #incoming = new Set<Incoming>();

  constructor(ports: MemberPorts) {
    const { tls, limits, clock, meter } = ports;
    this.#ports = ports;
    this.#strangers = new Strangers({ limits: { ...limits, exempt: [] }, clock, meter });
    this.#server = tls === undefined ? createServer((socket) => this.#accept(socket)) : this.#tlsServer(tls);
    this.#server.prependListener("connection", (socket: Socket) =>
      this.#strangers.admit(socket, { listener: "members", deadline: "here" }),
    );
    this.#server.on("tlsClientError", (error) => this.#onTlsFailure(error));
  }

  #tlsServer(tls: MemberTls): Server {
    const server = createTlsServer({ cert: tls.cert, key: tls.key, ...NO_TLS_TIMEOUT }, (socket) =>
      this.#accept(socket),
    );
    tls.attach?.(server);
    return server;
  }

  /** @returns `host:port` as bound. @throws {ListenError} */
  open(at: HostAndPort): Promise<string> {
    return listen(this.#server, {
      ...at,
      listener: "members",
      failed: (error) => this.#ports.log.error({ err: error }, "Cannot accept a member connection"),
    });
  }

  /** Called at a steady rate, as `MemberLink.beat`. */
  beat(rounds: number): void {
    for (const incoming of this.#incoming) {
      if (incoming.from === undefined) continue;
      incoming.heardNothing = incoming.socket.wasHeard() ? 0 : incoming.heardNothing + 1;
      if (incoming.heardNothing > rounds) incoming.socket.end(new Error("Nothing was heard from the member"));
      else incoming.socket.sendAlive();
    }
  }

  hasConnectionFrom(id: string): boolean {
    for (const { from } of this.#incoming) if (from === id) return true;
    return false;
  }

  /** Ends every connection of this member, so that it must prove itself again. */
  drop(from: string): void {
    for (const incoming of this.#incoming) if (incoming.from === from) incoming.socket.end(undefined);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const incoming of this.#incoming) incoming.socket.end(new Error("This member is stopping"));
    this.#strangers[Symbol.dispose]();
    await closed;
  }

  #accept(raw: Socket): void {
    if (raw.destroyed) return;
    const { tls, limits } = this.#ports;
    const handshake = new AcceptHandshake(handshakePorts(this.#ports, tls && (raw as TLSSocket)));
    const socket = new FramedSocket(raw, {
      maxFrameBytes: limits.helloBytes,
      receiver: {
        onFrame: (frame) => {
          if (incoming.from !== undefined) this.#ports.received(incoming.from, frame[0] as number, frame.subarray(1));
          else this.#step(handshake, frame, incoming, () => this.#strangers.known(raw));
        },
        onEnd: (error) => {
          this.#incoming.delete(incoming);
          if (error !== undefined) this.#complain(incoming.from ?? "unknown", error);
        },
      },
    });
    const incoming: Incoming = { socket, from: undefined, heardNothing: 0 };
    this.#incoming.add(incoming);
  }

  #step(handshake: AcceptHandshake, frame: Uint8Array, incoming: Incoming, done: () => void): void {
    const { send, established, refused } = handshake.receive(frame);
    if (refused !== undefined) return incoming.socket.endWith(send, refused);
    if (send !== undefined) incoming.socket.send(send);
    if (established === undefined) return;
    done();
    incoming.from = established.id;
    incoming.socket.maxFrameBytes = this.#ports.limits.frameBytes;
    this.#ports.introduced(established);
    this.#ports.log.debug({ member: established.id }, "Member connected to this one");
  }

  /** HTTP without TLS is one of these. */
  #onTlsFailure(error: Error): void {
    const { log, meter } = this.#ports;
    meter.counter("tls_failures_total", "TLS handshakes that failed", { listener: "members" }).add();
    log.warn({ reason: error.message }, "A connection to the member port failed before the end of TLS");
  }

  #complain(member: string, error: Error): void {
    const { log, meter } = this.#ports;
    if (!(error instanceof WireError)) return log.debug({ member, reason: error.message }, "Member connection ended");
    meter
      .counter("cache_member_refusals", "Member connections that ended because of what was said on them", {
        code: error.code,
      })
      .add();
    log.warn({ member, reason: error.message, code: error.code }, "Ended a member connection");
  }
}
