/** One RTMP connection: bytes to the engine, its events to the net streams, its answers back; loop, translate, done. */
import type { Millis } from "@sluice/base/brand";
import { LimitError, WireError } from "@sluice/bytes/wire-error";
import type { Protocol } from "@sluice/client/admin-contract";
import type { RtmpServerEngine } from "@sluice/rtmp/server-engine";
import type { RtmpServerEvent } from "@sluice/rtmp/server-event";
import type { ByteTransport, TransportEvents } from "./byte-transport.ts";
import { RtmpNetStreams } from "./rtmp-net-streams.ts";
import type { Session, SessionEnd, SessionFacts } from "./session.ts";
import type { SessionPorts } from "./session-ports.ts";

export interface RtmpSessionOptions {
  readonly id: string;
  readonly protocol: Protocol;
  readonly address: string;
  readonly ports: SessionPorts;
  readonly engine: RtmpServerEngine;
  /** What the engine announces with SetChunkSize. */
  readonly chunkSize: number;
  /** E12: what players that sent no FourCC list are sent. */
  readonly legacyFourCc: "forward" | "withhold";
  /** How often a peer that may be gone is asked. */
  readonly pingInterval: Millis;
  readonly allowsRtmpRedirect: boolean;
  readonly open: (events: TransportEvents) => ByteTransport;
}

type Phase = "handshake" | "connect" | "connected" | "closing";

export class RtmpSession implements Session {
  readonly id: string;
  readonly protocol: Protocol;
  readonly address: string;
  readonly since: Millis;
  readonly #options: RtmpSessionOptions;
  readonly #transport: ByteTransport;
  readonly #netStreams: RtmpNetStreams;
  readonly #abort = new AbortController();
  #phase: Phase = "handshake";
  #phaseSince: Millis;
  #pingedAt: Millis;
  /** An event's verdict is awaited; what comes meanwhile stays in the socket. */
  #isWaiting = false;
  #endReason: SessionEnd | undefined;

  constructor(options: RtmpSessionOptions) {
    const { ports } = options;
    this.id = options.id;
    this.protocol = options.protocol;
    this.address = options.address;
    this.#options = options;
    this.since = ports.clock.wall();
    this.#phaseSince = ports.clock.now();
    this.#pingedAt = this.#phaseSince;
    this.#transport = options.open({
      bytes: (bytes) => this.#receive(bytes),
      closed: (error) => this.#closed(error),
    });
    this.#netStreams = new RtmpNetStreams({
      ...options,
      transport: this.#transport,
      signal: this.#abort.signal,
      sendOutput: () => this.#sendOutput(),
      end: (reason, detail) => this.end(reason, detail),
    });
    ports.registry.add(this);
  }

  get facts(): SessionFacts {
    const { socket } = this.#transport;
    return { ...this.#netStreams.facts, bytesIn: socket.bytesRead, bytesOut: socket.bytesWritten };
  }

  tick(now: Millis): void {
    const { timeouts } = this.#options.ports;
    const age = now - this.#phaseSince;
    if (this.#phase === "handshake" && age > timeouts.handshake) this.end("timeout", "handshake not finished");
    else if (this.#phase === "connect" && age > timeouts.connect) this.end("timeout", "no connect command");
    else if (this.#phase === "connected") this.#tickConnected(now);
  }

  end(reason: SessionEnd, detail = ""): void {
    if (this.#phase === "closing") return;
    this.#phase = "closing";
    this.#endReason = reason;
    const { id, address } = this;
    this.#options.ports.log.info({ session: id, address, reason, detail }, "Session ends");
    if (reason === "server-stopping") this.#options.engine.requestReconnect({ description: "The server is stopping" });
    this.#sendOutput();
    this.#transport.close();
  }

  #receive(bytes: Uint8Array): void {
    if (this.#phase === "closing") return;
    try {
      this.#options.engine.receive(bytes);
      if (!this.#isWaiting) this.#pump();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Works through the engine's events; one that needs a verdict stops the reading until it has it. */
  #pump(): void {
    const { engine } = this.#options;
    for (let event = engine.nextEvent(); event !== undefined; event = engine.nextEvent()) {
      const verdict = this.#take(event);
      if (verdict === undefined) continue;
      this.#sendOutput();
      this.#wait(verdict);
      return;
    }
    this.#sendOutput();
    this.#netStreams.deliver();
  }

  #take(event: RtmpServerEvent): Promise<void> | undefined {
    if (this.#phase === "closing") return undefined;
    if (event.type === "handshake-done") this.#enter("connect");
    if (event.type === "connect") this.#enter("connected");
    return this.#netStreams.take(event);
  }

  #wait(verdict: Promise<void>): void {
    this.#isWaiting = true;
    this.#transport.pause();
    const resume = (): void => {
      this.#isWaiting = false;
      this.#transport.resume();
      if (this.#phase !== "closing") this.#pump();
    };
    verdict.then(resume).catch((error: unknown) => this.#fail(error));
  }

  #sendOutput(): void {
    const { engine } = this.#options;
    for (let bytes = engine.nextOutput(); bytes !== undefined; bytes = engine.nextOutput()) this.#transport.send(bytes);
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#phaseSince = this.#options.ports.clock.now();
  }

  #tickConnected(now: Millis): void {
    const { engine, ports, pingInterval } = this.#options;
    if (this.#netStreams.isIdle) {
      if (!this.#isWaiting && now - this.#netStreams.idleSince > ports.timeouts.idle) this.end("timeout", "neither publishes nor plays");
      return;
    }
    this.#netStreams.tick(now);
    if (now - this.#pingedAt < pingInterval) return;
    this.#pingedAt = now;
    engine.sendUserControl({ type: "ping-request", timestamp: Math.floor(now) >>> 0 });
    this.#sendOutput();
  }

  #fail(error: unknown): void {
    if (error instanceof WireError || error instanceof LimitError) {
      const { ports } = this.#options;
      ports.meter.counter("wire_errors_total", "Sessions ended by what their peer sent, by error code", { code: error.code }).add();
      this.end(error instanceof WireError ? "wire-error" : "limit", error.message);
      this.#transport.socket.destroySoon();
      return;
    }
    this.#options.ports.log.error({ session: this.id, err: error }, "Session failed");
    this.end("fault");
    this.#transport.socket.destroy();
  }

  #closed(error: Error | undefined): void {
    const reason = this.#endReason ?? (error === undefined ? "peer-closed" : "peer-error");
    this.#phase = "closing";
    this.#abort.abort(new Error("Session ended"));
    this.#netStreams.close(reason);
    this.#options.ports.registry.remove(this, reason);
  }
}
