/** One RTMP connection: bytes to the engine, its events to the net streams, its answers back; loop, translate, done. */
import type { Millis } from "@sluice/base/brand";
import { LimitError, WireError } from "@sluice/bytes/wire-error";
import type { Protocol } from "@sluice/client/admin-contract";
import { CONNECTION_STREAM, type MessageStreamId } from "@sluice/rtmp/ids";
import type { RtmpServerEvent } from "@sluice/rtmp/server-event";
import type { ByteTransport, TransportEvents } from "../sessions/byte-transport.ts";
import { SLICE_BYTES, SlicedInput } from "../sessions/input-scheduler.ts";
import { RtmpNetStreams } from "./rtmp-net-streams.ts";
import type { RtmpPeer } from "./rtmp-peer.ts";
import { SlowPeer } from "./slow-peer.ts";
import { SignOfLife } from "../sessions/sign-of-life.ts";
import type { Session, SessionClosing, SessionEnd, SessionFacts } from "../sessions/session.ts";

/** A silent publisher is asked this often, so that it is known by and by whether it is there. */
const PUBLISHER_SILENCE = 3_000 as Millis;

export interface RtmpSessionOptions
  extends Pick<RtmpPeer, "settings" | "id" | "protocol" | "address" | "page" | "engine"> {
  readonly open: (events: TransportEvents) => ByteTransport;
}

type Phase = "handshake" | "connect" | "connected" | "closing";

export class RtmpSession implements Session, RtmpPeer {
  readonly settings: RtmpPeer["settings"];
  readonly id: string;
  readonly protocol: Protocol;
  readonly address: string;
  readonly page: RtmpPeer["page"];
  readonly engine: RtmpPeer["engine"];
  readonly transport: ByteTransport;
  readonly since: Millis;
  readonly #netStreams: RtmpNetStreams;
  readonly #abort = new AbortController();
  readonly #signs: SignOfLife;
  readonly #input: SlicedInput;
  readonly #slow: SlowPeer;
  #phase: Phase = "handshake";
  #phaseSince: Millis;
  /** An event's verdict is awaited; one arrival is still read, what follows it stays in the socket. */
  #isWaiting = false;
  #ending: Pick<SessionClosing, "reason" | "detail"> | undefined;

  constructor({ settings, id, protocol, address, page, engine, open }: RtmpSessionOptions) {
    const { clock, inputs, registry } = settings.ports;
    this.settings = settings;
    this.id = id;
    this.protocol = protocol;
    this.address = address;
    this.page = page;
    this.engine = engine;
    this.since = clock.wall();
    this.#phaseSince = clock.now();
    this.#signs = new SignOfLife(clock, () => this.#ping());
    this.transport = open({
      bytes: (bytes) => this.#receive(bytes),
      unfinished: (byteCount) => this.#attempt(() => engine.noteUnfinished(byteCount)),
      ended: () => this.end("peer-closed"),
      closed: (error) => this.#closed(error),
    });
    this.#input = new SlicedInput({
      scheduler: inputs,
      mayRead: () => this.#phase !== "closing" && !this.#isWaiting && !this.#slow.isBlocked,
      read: (slice) => this.#read(slice),
      discard: (bytes) => this.transport.discard(bytes),
      resume: () => this.transport.resume(),
    });
    this.#slow = new SlowPeer(this, () => this.#readOn());
    this.#netStreams = new RtmpNetStreams(this);
    registry.add(this);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get facts(): SessionFacts {
    const { socket } = this.transport;
    return { ...this.#netStreams.facts, bytesIn: socket.bytesRead, bytesOut: socket.bytesWritten };
  }

  get latest(): Session["latest"] {
    return this.#netStreams.latest;
  }

  isServed(isLive: (key: string) => boolean): boolean {
    return this.#netStreams.isServed(isLive);
  }

  tick(now: Millis): void {
    const { timeouts } = this.settings.ports;
    const age = now - this.#phaseSince;
    this.#attempt(() => {
      if (this.transport.output.isStalled(now, this.#slow.isBlocked))
        this.end("stalled", "takes nothing of what it is sent");
      else if (this.#phase === "handshake" && age > timeouts.handshake) this.end("timeout", "handshake not finished");
      else if (this.#phase === "connect" && age > timeouts.connect) this.end("timeout", "no connect command");
      else if (this.#phase === "connected") this.#tickConnected(now);
    });
  }

  askToLeave(): "asked" | "cannot" {
    const { engine } = this;
    if (this.#phase !== "connected" || engine.requestReconnect({ description: "The server is stopping" }) !== "sent")
      return "cannot";
    this.sendOutput();
    return "asked";
  }

  end(reason: SessionEnd, detail = ""): void {
    if (this.#phase === "closing") return;
    this.#close({ reason, detail });
    this.#sayGoodBye(reason, detail);
    this.sendOutput();
    this.transport.close();
    if (reason === "stalled") this.transport.socket.destroy(); // what is queued would never be taken
  }

  #receive(bytes: Uint8Array): void {
    if (this.#phase === "closing") return;
    this.#signs.hear();
    const isLittle = bytes.length <= SLICE_BYTES || this.#netStreams.isPublishing;
    if (isLittle && this.#input.isEmpty) return this.#read(bytes);
    this.transport.pause();
    this.#input.add(bytes);
    this.#input.readOn();
  }

  #read(bytes: Uint8Array): void {
    this.#attempt(() => {
      this.engine.receive(bytes);
      if (!this.#isWaiting && !this.#slow.isBlocked) {
        this.#pump();
        return this.#hold(bytes.length);
      }
      this.transport.pause();
      this.sendOutput();
    });
  }

  /** Works through what happened; an event that needs a verdict stops the reading until it has it. */
  #pump(): void {
    const { engine } = this;
    for (let event = engine.nextEvent(); event !== undefined; event = engine.nextEvent()) {
      const verdict = this.#take(event);
      if (verdict === undefined) continue;
      this.sendOutput();
      this.#wait(verdict);
      return;
    }
    this.sendOutput();
    this.#netStreams.deliver();
    this.#slow.block();
  }

  /** After a verdict, or once the peer took enough. */
  #readOn(): void {
    if (this.#isWaiting) return;
    this.#input.readOn();
    this.#pump();
  }

  /** What a publisher sends may wait in the kernel as long as its viewers would not have it sooner. */
  #hold(arrivedBytes: number): void {
    if (this.protocol !== "rtmp" || this.#phase !== "connected" || this.#isWaiting || this.#slow.isBlocked) return;
    const within = this.#netStreams.holdTime;
    if (within > 0) this.settings.ports.reads.hold(this.transport.socket, within, arrivedBytes);
  }

  /** Whether the peer has closed the message stream, or begun something else on it, behind the event that is judged. */
  isOver(messageStreamId: MessageStreamId): boolean {
    return this.engine.isClosedSince(messageStreamId);
  }

  #take(event: RtmpServerEvent): Promise<void> | undefined {
    if (this.#phase === "closing") return undefined;
    if (event.type === "handshake-done") this.#enter("connect");
    if (event.type === "connect") this.#enter("connected");
    return this.#netStreams.take(event);
  }

  #wait(verdict: Promise<void>): void {
    this.#isWaiting = true;
    const resume = (): void => {
      this.#isWaiting = false;
      if (this.#phase !== "closing" && !this.#slow.isBlocked && !this.#slow.block()) this.#readOn();
    };
    verdict.then(resume).catch((error: unknown) => this.#fail(error));
  }

  sendOutput(): void {
    const { engine } = this;
    for (let bytes = engine.nextOutput(); bytes !== undefined; bytes = engine.nextOutput()) this.transport.send(bytes);
    if (this.transport.output.isOverdrawn) this.end("stalled", "takes nothing of what it is told");
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#phaseSince = this.settings.ports.clock.now();
  }

  #tickConnected(now: Millis): void {
    const { ports, pingInterval } = this.settings;
    if (this.#netStreams.isIdle) {
      if (!this.#isWaiting && now - this.#netStreams.idleSince > ports.timeouts.idle)
        this.end("timeout", "neither publishes nor plays");
      return;
    }
    this.#netStreams.tick(now);
    const isPublishing = this.#netStreams.isPublishing;
    this.#signs.tick(now, isPublishing ? (Math.min(pingInterval, PUBLISHER_SILENCE) as Millis) : pingInterval);
  }

  #ping(): void {
    if (this.#phase !== "connected" || this.#slow.isUnheard) return;
    const timestamp = Math.floor(this.settings.ports.clock.now()) >>> 0;
    this.#attempt(() => {
      this.engine.sendUserControl({ type: "ping-request", timestamp });
      this.sendOutput();
    });
  }

  /** Another publisher claims what is published here: ends the session of a peer that gives no sign of life. */
  async confirm(patience: Millis): Promise<void> {
    if (!this.#isRead || (await this.#signs.prove(patience)) || !this.#isRead) return;
    this.end("timeout", "silent while another publisher claims its stream");
    this.transport.socket.destroy(); // what is queued would never be taken
  }

  /** Whether what the peer sends is being read. */
  get #isRead(): boolean {
    return this.#phase === "connected" && !this.#isWaiting && !this.#slow.isBlocked;
  }

  #attempt(work: () => void): void {
    if (this.#phase === "closing") return;
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#phase === "closing") return;
    if (error instanceof WireError || error instanceof LimitError) {
      const { ports } = this.settings;
      ports.meter
        .counter("wire_errors_total", "Sessions ended by what their peer sent, by error code", { code: error.code })
        .add();
      this.end(error instanceof WireError ? "wire-error" : "limit", error.message);
      this.transport.socket.destroySoon();
      return;
    }
    this.settings.ports.log.error({ session: this.id, err: error }, "Session failed");
    this.end("fault");
    this.transport.socket.destroy();
  }

  /** From here on nothing is published or played, whatever verdict may still come. */
  #close(ending: Pick<SessionClosing, "reason" | "detail">): void {
    this.#phase = "closing";
    this.#ending = ending;
    this.#signs.close();
    this.#input.clear();
    this.engine.release();
    this.#abort.abort(new Error("Session ended"));
    this.#netStreams.close(ending.reason);
  }

  #sayGoodBye(reason: SessionEnd, detail: string): void {
    const { engine } = this;
    if (reason === "peer-closed" || engine.phase !== "connected") return;
    const description = detail === "" ? `The session ends: ${reason}` : detail;
    engine.sendStatus(CONNECTION_STREAM, { level: "status", code: "NetConnection.Connect.Closed", description });
  }

  #closed(error: Error | undefined): void {
    const broken = {
      reason: error === undefined ? "peer-closed" : "peer-error",
      detail: error?.message ?? "",
    } as const;
    const ending = this.#ending ?? broken;
    if (this.#phase !== "closing") this.#close(ending);
    this.settings.ports.registry.remove(this, ending);
  }
}
