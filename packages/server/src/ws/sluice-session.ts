/** One client of `sluice.v1`: its messages to the dialogue, its time-outs, and its end. */
import type { Millis } from "@sluice/base/brand";
import { decodeMessage } from "@sluice/client/contract/codec";
import { SLUICE_V1_LIMITS } from "@sluice/client/contract/limits";
import { MalformedMessageError } from "@sluice/client/contract/message-error";
import { CLOSE_CODES, type ServerMessage } from "@sluice/client/contract/sluice-v1";
import { applicationOf } from "@sluice/media/stream-key";
import { STOPPING } from "../sessions/refusals.ts";
import type { Session, SessionClosing, SessionEnd, SessionFacts } from "../sessions/session.ts";
import { SignOfLife } from "../sessions/sign-of-life.ts";
import { encodeFrame } from "./frames.ts";
import type { MessageEvents, MessageTransport } from "./message-transport.ts";
import type { NetClient, SluiceSettings } from "./net-client.ts";
import { NetDialogue } from "./net-dialogue.ts";
import { PacedInput } from "./paced-input.ts";
import type { PeerCalls } from "./peer-calls.ts";

export interface SluiceSessionOptions {
  readonly settings: SluiceSettings;
  readonly id: string;
  readonly client: NetClient;
  readonly open: (events: MessageEvents) => MessageTransport;
}

/** An empty ping. RFC 6455 §5.5.2 */
const PING = Uint8Array.of(0x89, 0);

export class SluiceSession implements Session {
  readonly protocol = "sluice";
  readonly id: string;
  readonly since: Millis;
  /** Of no stream. */
  readonly latest = { role: "idle", key: "" } as const;
  readonly #settings: SluiceSettings;
  readonly #client: NetClient;
  readonly #transport: MessageTransport;
  readonly #abort = new AbortController();
  readonly #signs: SignOfLife;
  readonly #input: PacedInput;
  readonly #begunAt: Millis;
  #heardAt: Millis;
  /** Of the first frame; all others have the same. */
  #encoding: "json" | "msgpack" = "json";
  /** Since the first frame. */
  #dialogue: NetDialogue | undefined;
  /** It was told where to go. */
  #isMoving = false;
  /** More waits for the client than may. */
  #isBlocked = false;
  #ending: Pick<SessionClosing, "reason" | "detail"> | undefined;

  constructor({ settings, id, client, open }: SluiceSessionOptions) {
    const { clock, inputs, registry } = settings.ports;
    this.id = id;
    this.since = clock.wall();
    this.#settings = settings;
    this.#client = client;
    this.#begunAt = clock.now();
    this.#heardAt = this.#begunAt;
    this.#signs = new SignOfLife(clock, () => this.#transport.send(PING));
    this.#transport = open({
      message: (payload, byteCount) => this.#receive(payload, byteCount),
      signOfLife: () => this.#hear(),
      ended: () => this.end("peer-closed"),
      closed: (error) => this.#closed(error),
    });
    this.#input = new PacedInput({
      clock,
      scheduler: inputs,
      perSecond: SLUICE_V1_LIMITS.messages,
      mayRead: () => !this.#isEnding && !this.#isBlocked && this.#dialogue?.at !== "deciding",
      read: (payload) => this.#attempt(() => this.#read(payload)),
      pause: () => this.#transport.pause(),
      resume: () => this.#transport.resume(),
    });
    registry.add(this);
  }

  get address(): string {
    return this.#client.address;
  }

  get facts(): SessionFacts {
    const { bytesIn, bytesOut } = this.#transport;
    const agent = this.#dialogue?.agent ?? this.#client.agent;
    const app = applicationOf(this.#client.base);
    const { isLagging = false, skips = 0 } = this.#dialogue?.objects ?? {};
    return { ...this.latest, app, agent, bytesIn, bytesOut, isLagging, skips };
  }

  /** Calls to methods of the client; undefined before it is connected. */
  get calls(): Pick<PeerCalls, "call"> | undefined {
    return this.#isConnected ? this.#dialogue?.calls : undefined;
  }

  /** While the node drains: only who has another node to go to needs time for it. */
  isServed(): boolean {
    return this.#isMoving && (this.#dialogue?.objects?.size ?? 0) > 0;
  }

  tick(now: Millis): void {
    const { timeouts } = this.#settings.ports;
    if (this.#isEnding) return;
    const isHeld = this.#isBlocked || this.#dialogue?.objects?.isLagging === true;
    if (this.#transport.output.isStalled(now, isHeld)) this.end("stalled", "takes nothing of what it is sent");
    else if ((this.#dialogue?.at ?? "connect") === "connect") {
      if (now - this.#begunAt > timeouts.connect) this.end("timeout", "no connect message");
    } else if (this.#isConnected && !this.#isBlocked) this.#askForLife(now, timeouts.idle);
  }

  askToLeave(): "asked" | "cannot" {
    if (!this.#isConnected) return "cannot";
    const url = this.#settings.elsewhere(this.#client);
    if (url === undefined) return "cannot";
    this.#isMoving = true;
    this.#send({ type: "move", url, reason: STOPPING });
    return "asked";
  }

  end(reason: SessionEnd, detail = ""): void {
    if (this.#isEnding) return;
    this.#close({ reason, detail });
    this.#transport.close(CODES[reason], detail === "" ? reason : `${reason}: ${detail}`);
    if (reason === "stalled") this.#transport.cut(); // what is queued would never be taken
  }

  get #isEnding(): boolean {
    return this.#ending !== undefined;
  }

  get #isConnected(): boolean {
    return !this.#isEnding && this.#dialogue?.at === "connected";
  }

  /** Readers say nothing by themselves: who is never asked is never given up. */
  #askForLife(now: Millis, patience: Millis): void {
    const { pingInterval } = this.#settings;
    if (pingInterval === 0) return;
    this.#signs.tick(now, Math.min(pingInterval, patience / 3) as Millis);
    if (now - this.#heardAt <= patience) return;
    void this.#signs.prove(patience).then((isAlive) => {
      if (!isAlive) this.end("timeout", "gives no sign of life");
    });
  }

  #hear(): void {
    this.#heardAt = this.#settings.ports.clock.now();
    this.#signs.hear();
    this.#hold();
  }

  #receive(payload: string | Uint8Array, byteCount: number): void {
    if (this.#isEnding) return;
    this.#hear();
    this.#input.receive(payload, byteCount);
  }

  #read(payload: string | Uint8Array): void {
    const encoding = typeof payload === "string" ? "json" : "msgpack";
    this.#dialogue ??= this.#begin(encoding);
    if (encoding !== this.#encoding)
      throw new MalformedMessageError({ problem: `a frame of ${encoding} where all others are ${this.#encoding}` });
    const wait = this.#take(this.#dialogue, payload);
    wait?.then(
      () => this.#input.readOn(),
      (error: unknown) => this.#fail(error),
    );
    this.#hold();
  }

  #begin(encoding: "json" | "msgpack"): NetDialogue {
    this.#encoding = encoding;
    return new NetDialogue({
      settings: this.#settings,
      session: this.id,
      client: this.#client,
      encoding,
      transport: this.#transport,
      signal: this.#abort.signal,
      send: (message) => this.#send(message),
      end: (reason, detail) => this.end(reason, detail),
      fail: (error) => this.#fail(error),
    });
  }

  #take(dialogue: NetDialogue, payload: string | Uint8Array): Promise<void> | undefined {
    try {
      return dialogue.take(decodeMessage(payload, SLUICE_V1_LIMITS.values));
    } catch (error) {
      const { id, path = "" } = error instanceof MalformedMessageError ? error.context : {};
      if (id !== undefined && dialogue.refuseValue(id, path)) return undefined;
      throw error;
    }
  }

  #send(message: ServerMessage): void {
    if (this.#isEnding) return;
    if (message.type === "answer" && message.status === "refused") this.#settings.counts.refused(message.code);
    this.#transport.send(encodeFrame(message, this.#encoding));
    if (this.#transport.output.isOverdrawn) this.end("stalled", "takes nothing of what it is told");
  }

  /** Who does not take what it is told is not read either. */
  #hold(): void {
    const { output } = this.#transport;
    if (this.#isBlocked || this.#isEnding || !output.isBehind) return;
    this.#isBlocked = true;
    this.#input.pause();
    output.whenTaken(() => {
      this.#isBlocked = false;
      this.#input.readOn();
    });
  }

  #attempt(work: () => void): void {
    if (this.#isEnding) return;
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#isEnding) return;
    const { meter, log } = this.#settings.ports;
    if (error instanceof MalformedMessageError) {
      const { code, message } = error;
      meter.counter("wire_errors_total", "Sessions ended by what their peer sent, by error code", { code }).add();
      return this.end("wire-error", message);
    }
    log.error({ session: this.id, err: error }, "Session failed");
    this.end("fault");
  }

  #close(ending: Pick<SessionClosing, "reason" | "detail">): void {
    this.#ending = ending;
    this.#signs.close();
    this.#input.clear();
    this.#abort.abort(new Error("Session ended"));
    this.#dialogue?.[Symbol.dispose]();
  }

  #closed(error: Error | undefined): void {
    const broken = {
      reason: error === undefined ? "peer-closed" : "peer-error",
      detail: error?.message ?? "",
    } as const;
    const ending = this.#ending ?? broken;
    if (!this.#isEnding) this.#close(ending);
    this.#settings.ports.registry.remove(this, ending);
  }
}

/** The peer hears what it can do about it; who has gone hears nothing. */
const CODES: Readonly<Record<SessionEnd, number>> = {
  "peer-closed": CLOSE_CODES.done,
  "peer-error": CLOSE_CODES.done,
  "wire-error": CLOSE_CODES.malformed,
  limit: CLOSE_CODES.limit,
  timeout: CLOSE_CODES.timeout,
  denied: CLOSE_CODES.denied,
  redirected: CLOSE_CODES.moved,
  "not-found": CLOSE_CODES.done,
  replaced: CLOSE_CODES.done,
  kicked: CLOSE_CODES.kicked,
  stalled: CLOSE_CODES.stalled,
  "stream-ended": CLOSE_CODES.done,
  "server-stopping": CLOSE_CODES.stopping,
  fault: CLOSE_CODES.fault,
};
