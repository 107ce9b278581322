/** One RTMP connection: bytes to the engine, its events to the net streams, its answers back; loop, translate, done. */
import type { Millis } from "@sluice/base/brand";
import { LimitError, WireError } from "@sluice/bytes/wire-error";
import type { Protocol } from "@sluice/client/admin-contract";
import { CONNECTION_STREAM, type MessageStreamId } from "@sluice/rtmp/ids";
import type { RtmpServerEvent } from "@sluice/rtmp/server-event";
import type { ByteTransport } from "../sessions/byte-transport.ts";
import { SLICE_BYTES, SlicedInput } from "../sessions/input-turns.ts";
import { RtmpNetStreams } from "./rtmp-net-streams.ts";
import type { RtmpSessionOptions } from "./rtmp-session-options.ts";
import { SignOfLife } from "../sessions/sign-of-life.ts";
import type { Session, SessionClosing, SessionEnd, SessionFacts } from "../sessions/session.ts";

/** A silent publisher is asked this often, so that it is known by and by whether it is there. */
const PUBLISHER_SILENCE = 3_000 as Millis;

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
  /** Taken from the engine while a verdict is awaited, oldest first. */
  readonly #held: RtmpServerEvent[] = [];
  #phase: Phase = "handshake";
  #phaseSince: Millis;
  readonly #signs: SignOfLife;
  /** An event's verdict is awaited; one arrival is still read, what follows it stays in the socket. */
  #isWaiting = false;
  #ending: Pick<SessionClosing, "reason" | "detail"> | undefined;
  /** More waits for the peer than may: nothing of it is read or worked through before it took that. */
  #isBlocked = false;
  readonly #input: SlicedInput;
  /** Something waits for the peer and has not been taken. */
  #isUnheard = false;

  constructor(options: RtmpSessionOptions) {
    const { ports } = options;
    this.id = options.id;
    this.protocol = options.protocol;
    this.address = options.address;
    this.#options = options;
    this.since = ports.clock.wall();
    this.#phaseSince = ports.clock.now();
    this.#signs = new SignOfLife(ports.clock, () => this.#ping());
    this.#transport = options.open({
      bytes: (bytes) => this.#receive(bytes),
      unfinished: (byteCount) => this.#attempt(() => options.engine.noteUnfinished(byteCount)),
      ended: () => this.end("peer-closed"),
      closed: (error) => this.#closed(error),
    });
    this.#input = new SlicedInput({
      turns: ports.turns,
      mayRead: () => this.#phase !== "closing" && !this.#isWaiting && !this.#isBlocked,
      read: (slice) => this.#read(slice),
      discard: (bytes) => this.#transport.discard(bytes),
      resume: () => this.#transport.resume(),
    });
    this.#netStreams = new RtmpNetStreams({
      ...options,
      transport: this.#transport,
      signal: this.#abort.signal,
      isOver: (messageStreamId) => this.#isOver(messageStreamId),
      sendOutput: () => this.#sendOutput(),
      end: (reason, detail) => this.end(reason, detail),
      confirm: (patience) => this.#confirm(patience),
    });
    ports.registry.add(this);
  }

  get facts(): SessionFacts {
    const { socket } = this.#transport;
    return { ...this.#netStreams.facts, bytesIn: socket.bytesRead, bytesOut: socket.bytesWritten };
  }

  get latest(): Session["latest"] {
    return this.#netStreams.latest;
  }

  isServed(isLive: (key: string) => boolean): boolean {
    return this.#netStreams.isServed(isLive);
  }

  tick(now: Millis): void {
    const { timeouts } = this.#options.ports;
    const age = now - this.#phaseSince;
    this.#attempt(() => {
      if (this.#transport.output.isStalled(now, this.#isBlocked))
        this.end("stalled", "takes nothing of what it is sent");
      else if (this.#phase === "handshake" && age > timeouts.handshake) this.end("timeout", "handshake not finished");
      else if (this.#phase === "connect" && age > timeouts.connect) this.end("timeout", "no connect command");
      else if (this.#phase === "connected") this.#tickConnected(now);
    });
  }

  askToLeave(): "asked" | "cannot" {
    const { engine } = this.#options;
    if (this.#phase !== "connected" || engine.requestReconnect({ description: "The server is stopping" }) !== "sent")
      return "cannot";
    this.#sendOutput();
    return "asked";
  }

  end(reason: SessionEnd, detail = ""): void {
    if (this.#phase === "closing") return;
    this.#close({ reason, detail });
    this.#sayGoodBye(reason, detail);
    this.#sendOutput();
    this.#transport.close();
    if (reason === "stalled") this.#transport.socket.destroy(); // what is queued would never be taken
  }

  #receive(bytes: Uint8Array): void {
    if (this.#phase === "closing") return;
    this.#signs.hear();
    const isLittle = bytes.length <= SLICE_BYTES || this.#netStreams.isPublishing;
    if (isLittle && this.#input.isEmpty) return this.#read(bytes);
    this.#transport.pause();
    this.#input.add(bytes);
    this.#input.readOn();
  }

  #read(bytes: Uint8Array): void {
    this.#attempt(() => {
      this.#options.engine.receive(bytes);
      if (!this.#isWaiting && !this.#isBlocked) {
        this.#pump();
        return this.#hold(bytes.length);
      }
      this.#transport.pause();
      this.#sendOutput();
    });
  }

  /** Works through what happened; an event that needs a verdict stops the reading until it has it. */
  #pump(): void {
    for (let event = this.#nextEvent(); event !== undefined; event = this.#nextEvent()) {
      const verdict = this.#take(event);
      if (verdict === undefined) continue;
      this.#sendOutput();
      this.#wait(verdict);
      return;
    }
    this.#sendOutput();
    this.#netStreams.deliver();
    this.#block();
  }

  /** Stops the reading while more waits for the peer than may. @returns whether it did */
  #block(): boolean {
    const { output } = this.#transport;
    if (this.#phase === "closing" || !output.isBehind) return false;
    if (!this.#isUnheard) this.#beSilent();
    if (!output.isFull) return false;
    if (!this.#isBlocked) this.#transport.pause();
    this.#isBlocked = true;
    return true;
  }

  /** Encoders that never read must not fill what waits for them with acknowledgements. */
  #beSilent(): void {
    const { engine } = this.#options;
    this.#isUnheard = true;
    engine.holdAcknowledgements();
    this.#transport.output.whenTaken(() => {
      this.#isUnheard = false;
      if (this.#phase === "closing") return;
      engine.releaseAcknowledgements();
      this.#sendOutput();
      if (this.#isBlocked) this.#unblock();
    });
  }

  #unblock(): void {
    if (this.#transport.output.isFull) return this.#beSilent();
    this.#isBlocked = false;
    if (this.#isWaiting) return;
    this.#input.readOn();
    this.#pump();
  }

  /** What a publisher sends may wait in the kernel as long as its viewers would not have it sooner. */
  #hold(arrivedBytes: number): void {
    if (this.protocol !== "rtmp" || this.#phase !== "connected" || this.#isWaiting || this.#isBlocked) return;
    const within = this.#netStreams.holdTime;
    if (within > 0) this.#options.ports.reads.hold(this.#transport.socket, within, arrivedBytes);
  }

  #nextEvent(): RtmpServerEvent | undefined {
    return this.#held.shift() ?? this.#options.engine.nextEvent();
  }

  /** Whether the peer has closed the message stream, or begun something else on it, behind the event that is judged. */
  #isOver(messageStreamId: MessageStreamId): boolean {
    const { engine } = this.#options;
    for (let event = engine.nextEvent(); event !== undefined; event = engine.nextEvent()) this.#held.push(event);
    return this.#held.some((event) => event.type === "stream-closed" && event.messageStreamId === messageStreamId);
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
      if (this.#phase === "closing" || this.#isBlocked || this.#block()) return;
      this.#input.readOn();
      this.#pump();
    };
    verdict.then(resume).catch((error: unknown) => this.#fail(error));
  }

  #sendOutput(): void {
    const { engine } = this.#options;
    for (let bytes = engine.nextOutput(); bytes !== undefined; bytes = engine.nextOutput()) this.#transport.send(bytes);
    if (this.#transport.output.isOverdrawn) this.end("stalled", "takes nothing of what it is told");
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#phaseSince = this.#options.ports.clock.now();
  }

  #tickConnected(now: Millis): void {
    const { ports, pingInterval } = this.#options;
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
    if (this.#phase !== "connected" || this.#isUnheard) return;
    const timestamp = Math.floor(this.#options.ports.clock.now()) >>> 0;
    this.#attempt(() => {
      this.#options.engine.sendUserControl({ type: "ping-request", timestamp });
      this.#sendOutput();
    });
  }

  /** Another publisher claims what is published here: ends the session of a peer that gives no sign of life. */
  async #confirm(patience: Millis): Promise<void> {
    if (!this.#isRead || (await this.#signs.prove(patience)) || !this.#isRead) return;
    this.end("timeout", "silent while another publisher claims its stream");
    this.#transport.socket.destroy(); // what is queued would never be taken
  }

  /** What the peer says would be heard. */
  get #isRead(): boolean {
    return this.#phase === "connected" && !this.#isWaiting && !this.#isBlocked;
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
      const { ports } = this.#options;
      ports.meter
        .counter("wire_errors_total", "Sessions ended by what their peer sent, by error code", { code: error.code })
        .add();
      this.end(error instanceof WireError ? "wire-error" : "limit", error.message);
      this.#transport.socket.destroySoon();
      return;
    }
    this.#options.ports.log.error({ session: this.id, err: error }, "Session failed");
    this.end("fault");
    this.#transport.socket.destroy();
  }

  /** From here on nothing is published or played, whatever verdict may still come. */
  #close(ending: Pick<SessionClosing, "reason" | "detail">): void {
    this.#phase = "closing";
    this.#ending = ending;
    this.#held.length = 0;
    this.#signs.close();
    this.#input.clear();
    this.#options.engine.release();
    this.#abort.abort(new Error("Session ended"));
    this.#netStreams.close(ending.reason);
  }

  #sayGoodBye(reason: SessionEnd, detail: string): void {
    const { engine } = this.#options;
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
    this.#options.ports.registry.remove(this, ending);
  }
}
