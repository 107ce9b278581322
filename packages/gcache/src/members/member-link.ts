/** The way to one member: dials it, proves itself, sends, and dials again for as long as the link lives. */
import { connect } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { Backoff } from "@sluice/base/backoff";
import type { Millis } from "@sluice/base/brand";
import type { Counter } from "@sluice/base/meter";
import { WireError } from "@sluice/bytes/wire-error";
import { FramedSocket } from "./framed-socket.ts";
import { DialHandshake } from "./member-handshake.ts";
import { handshakePorts, type MemberPorts } from "./member-ports.ts";
import { splitAddress } from "@sluice/runtime/sockets/host-and-port";

/** Short, since a member that comes back is wanted at once; the cap keeps a missing one cheap. */
const BACKOFF = { first: 50 as Millis, cap: 1_000 as Millis, factor: 2, random: Math.random };

/** One may be missed by chance; with two the member has said nothing for longer than any pause of a healthy one. */
const SILENT_ROUNDS = 2;

type LinkState =
  | { readonly at: "waiting" }
  | { readonly at: "dialling"; readonly socket: FramedSocket | undefined }
  | { readonly at: "open"; readonly socket: FramedSocket }
  | { readonly at: "closed" };

export class MemberLink {
  readonly to: string;
  readonly #ports: MemberPorts;
  readonly #backoff = new Backoff(BACKOFF);
  readonly #dropped: Counter;
  readonly #stalled: Counter;
  #address: string;
  #state: LinkState = { at: "waiting" };
  /** The last reason for having no connection; logged when it changes, not at every attempt. */
  #trouble = "";
  #heardNothing = 0;

  constructor(to: string, address: string, ports: MemberPorts) {
    this.to = to;
    this.#address = address;
    this.#ports = ports;
    this.#dropped = ports.meter.counter(
      "cache_member_messages_dropped",
      "Messages that had no connection to go out on",
    );
    this.#stalled = ports.meter.counter("cache_member_stalls", "Connections ended because the member did not read");
    this.#dial();
  }

  /** Open, and not silent: what the member sends at a steady rate has come. */
  get isHeard(): boolean {
    return this.#state.at === "open" && this.#heardNothing < SILENT_ROUNDS;
  }

  /** Counts as silent from now on, until something comes. */
  doubt(): void {
    if (this.#state.at !== "open") return;
    this.#state.socket.wasHeard();
    this.#heardNothing = Math.max(this.#heardNothing, SILENT_ROUNDS);
  }

  /** For the next time that it is dialled. */
  set address(address: string) {
    this.#address = address;
  }

  /** False when it went nowhere: the replicated log sends again what matters. */
  send(kind: number, message: Uint8Array): boolean {
    if (this.#state.at !== "open") {
      this.#dropped.add();
      return false;
    }
    const { socket } = this.#state;
    if (socket.queuedBytes + message.length > this.#ports.limits.queuedBytes) {
      this.#stalled.add();
      socket.end(new Error(`The member has left ${socket.queuedBytes} bytes unread`));
      return false;
    }
    socket.send(message, kind);
    return true;
  }

  /** Called at a steady rate: says "still here", and ends a connection that has been silent for `rounds` calls. */
  beat(rounds: number): void {
    if (this.#state.at !== "open") return;
    const { socket } = this.#state;
    this.#heardNothing = socket.wasHeard() ? 0 : this.#heardNothing + 1;
    if (this.#heardNothing > rounds) socket.end(new Error("Nothing was heard from the member"));
    else socket.sendAlive();
  }

  close(): void {
    const before = this.#state;
    this.#state = { at: "closed" };
    if (before.at === "open" || before.at === "dialling") before.socket?.end(undefined);
  }

  #dial(): void {
    if (this.#state.at === "closed") return;
    const { tls, limits, clock } = this.#ports;
    const where = splitAddress(this.#address);
    // The certificate is not looked at: the proof of the secret is bound to this very TLS connection.
    const raw =
      tls === undefined
        ? connect(where)
        : connectTls({ ...where, cert: tls.cert, key: tls.key, rejectUnauthorized: false });
    const timer = clock.after(limits.handshake, () => socket.end(new Error("No handshake in time")));
    let handshake: DialHandshake | undefined;
    const socket = new FramedSocket(raw, {
      maxFrameBytes: limits.helloBytes,
      receiver: {
        onFrame: (frame) => {
          if (handshake !== undefined && this.#step(handshake, frame, socket)) timer.cancel();
        },
        onEnd: (error) => {
          timer.cancel();
          this.#lost(error);
        },
      },
    });
    this.#state = { at: "dialling", socket };
    raw.once(tls === undefined ? "connect" : "secureConnect", () => {
      handshake = new DialHandshake(
        this.to,
        handshakePorts(this.#ports, tls === undefined ? undefined : (raw as TLSSocket)),
      );
      socket.send(handshake.hello());
    });
  }

  /** True once the handshake is done; afterwards the member has nothing to say on this connection. */
  #step(handshake: DialHandshake, frame: Uint8Array, socket: FramedSocket): boolean {
    if (this.#state.at === "open") return true;
    const { send, established, refused } = handshake.receive(frame);
    if (refused !== undefined) {
      socket.endWith(send, refused);
      return false;
    }
    if (send !== undefined) socket.send(send);
    if (established === undefined) return false;
    this.#state = { at: "open", socket };
    this.#heardNothing = 0;
    this.#backoff.reset();
    this.#trouble = "";
    this.#ports.log.info({ member: this.to, address: this.#address }, "Connected to member");
    return true;
  }

  #lost(error: Error | undefined): void {
    if (this.#state.at === "closed") return;
    const trouble = error?.message ?? "the member closed the connection";
    const fields = { member: this.to, address: this.#address, reason: trouble };
    if (error instanceof WireError)
      this.#ports.meter
        .counter("cache_member_refusals", "Member connections that ended because of what was said on them", {
          code: error.code,
        })
        .add();
    if (trouble !== this.#trouble) this.#ports.log.warn(fields, "No connection to member");
    this.#trouble = trouble;
    this.#state = { at: "waiting" };
    this.#ports.clock.after(this.#backoff.next(), () => this.#dial());
  }
}
