/** The state engine of a node without a copy of its data: every call goes over a link to a host. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { Crypto } from "@sluice/base/crypto";
import type { Log } from "@sluice/base/log";
import { aborted } from "@sluice/base/scope";
import { checkKey, checkPrefix, checkSequence, checkTtl, checkValue } from "@sluice/engine/checks";
import type {
  AppendResult,
  CasResult,
  Engine,
  EngineCapabilities,
  EngineLogs,
  Entry,
  Key,
  Lease,
  LogRecord,
  RepeatableOptions,
  RequestId,
  WatchEvent,
  WriteOptions,
} from "@sluice/engine/engine";
import type { Epoch } from "@sluice/engine/epoch";
import { EngineLeaseLostError, EngineUnavailableError } from "@sluice/engine/errors";
import { EngineLifecycle } from "@sluice/engine/remote/engine-lifecycle";
import { HeldLeases } from "@sluice/engine/remote/held-leases";
import { messageStream } from "@sluice/engine/remote/message-stream";
import { PendingCalls } from "@sluice/engine/remote/pending-calls";
import { plainCopy } from "@sluice/engine/remote/plain-copy";
import type { EngineCall } from "./call-frames.ts";
import { type Answered, EngineCalls, type Question } from "./engine-calls.ts";
import type { EngineLinks } from "./engine-links.ts";
import { HostOrder, type HostOrderOptions } from "./host-order.ts";
import { ENGINE_LINK_TIMINGS, type EngineLinkTimings } from "./limits.ts";
import { LinkFeed } from "./link-feed.ts";

export interface LinkEngineOptions {
  readonly links: EngineLinks;
  readonly hosts: HostOrderOptions["hosts"];
  readonly clock: Clock;
  readonly crypto: Pick<Crypto, "randomBytes">;
  readonly log: Log;
  readonly random: () => number;
  readonly timings?: EngineLinkTimings;
}

interface Parts {
  readonly timings: EngineLinkTimings;
  readonly order: HostOrder;
  readonly feed: LinkFeed;
}

/** How a call behaves when it is sent again. */
type Kind = Pick<Question, "isWrite" | "isRepeatable">;
const READS: Kind = { isWrite: false, isRepeatable: true };
const WRITES_ONCE: Kind = { isWrite: true, isRepeatable: true };
const WRITES_EACH_TIME: Kind = { isWrite: true, isRepeatable: false };

const CLIENT_BYTES = 12;

export class LinkEngine implements Engine {
  readonly logs?: EngineLogs;
  readonly #timings: EngineLinkTimings;
  readonly #lifecycle = new EngineLifecycle();
  readonly #pending = new PendingCalls("link");
  readonly #order: HostOrder;
  readonly #calls: EngineCalls;
  readonly #feed: LinkFeed;
  readonly #leases: HeldLeases;
  readonly #client: string;
  #sequence = 0;

  /**
   * Waits until a host has reported what its engine can do.
   *
   * @throws the signal's reason when it aborts first
   */
  static async open(options: LinkEngineOptions, signal: AbortSignal): Promise<LinkEngine> {
    signal.throwIfAborted();
    const { timings = ENGINE_LINK_TIMINGS } = options;
    const order = new HostOrder(options);
    const feed = new LinkFeed({ ...options, timings, order });
    await Promise.race([feed.known, aborted(signal)]);
    if (signal.aborted) {
      await feed.close();
      signal.throwIfAborted();
    }
    return new LinkEngine(options, { timings, order, feed });
  }

  private constructor(options: LinkEngineOptions, { timings, order, feed }: Parts) {
    this.#timings = timings;
    this.#order = order;
    this.#feed = feed;
    this.#leases = new HeldLeases(options);
    const bytes = options.crypto.randomBytes(CLIENT_BYTES);
    this.#client = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    if (feed.capabilities?.hasLogs === true) this.logs = this.#openLogs();
    const stuck = (host: string): void => this.#feed.doubt(host, "the host does not answer");
    this.#calls = new EngineCalls({ ...options, timings, order: this.#order, stuck });
    this.#pending.open();
  }

  /** The host that feeds this node with changes; undefined without one. */
  get host(): string | undefined {
    return this.#feed.host;
  }

  capabilities(): EngineCapabilities {
    return this.#feed.capabilities as EngineCapabilities; // set: `open` waited for it
  }

  async get(key: Key): Promise<Entry | undefined> {
    this.#lifecycle.checkOpen("get");
    checkKey(key);
    const { answer } = await this.#ask("get", { type: "get", key }, READS);
    if (answer.type === "none") return undefined;
    if (answer.type !== "entry") throw unexpected("get", answer);
    return { key, value: plainCopy(answer.value), revision: answer.revision };
  }

  async cas(key: Key, expected: Epoch | "absent", value: Uint8Array, options?: WriteOptions): Promise<CasResult> {
    this.#lifecycle.checkOpen("cas");
    checkKey(key);
    checkValue(value, this.capabilities().maxValueBytes);
    const lease = options?.lease?.token;
    const request = options?.request ?? this.#nextRequest();
    const { answer } = await this.#ask("cas", { type: "cas", request, key, expected, lease, value }, WRITES_ONCE);
    if (answer.type === "lease-lost" && lease !== undefined) throw new EngineLeaseLostError({ token: lease });
    return this.#casResult("cas", key, answer);
  }

  async remove(key: Key, expected: Epoch, options?: RepeatableOptions): Promise<CasResult> {
    this.#lifecycle.checkOpen("remove");
    checkKey(key);
    const request = options?.request ?? this.#nextRequest();
    const { answer } = await this.#ask("remove", { type: "remove", request, key, expected }, WRITES_ONCE);
    return this.#casResult("remove", key, answer);
  }

  watch(prefix: Key, signal: AbortSignal): AsyncIterable<WatchEvent> {
    this.#lifecycle.checkOpen("watch");
    checkPrefix(prefix);
    const reader = this.#lifecycle.admit(signal);
    return this.#feed.watch(prefix, reader.signal, reader.leave);
  }

  async lease(ttl: Millis): Promise<Lease> {
    this.#lifecycle.checkOpen("lease");
    checkTtl(ttl);
    this.#leases.checkRoom();
    // If the answer is lost, the granted lease runs out by itself.
    const { answer, sentAt } = await this.#ask("lease", { type: "grant", ttl }, WRITES_ONCE);
    if (answer.type !== "token") throw unexpected("lease", answer);
    const { token } = answer;
    return this.#leases.hold({
      token,
      ttl,
      sentAt,
      renew: (patience) => this.#renew(token, patience),
      drop: async () => void (await this.#ask("release a lease", { type: "release", token }, WRITES_ONCE)),
    });
  }

  async publish(subject: Key, message: Uint8Array): Promise<void> {
    this.#lifecycle.checkOpen("publish");
    checkKey(subject);
    checkValue(message, this.capabilities().maxValueBytes);
    await this.#ask("publish", { type: "publish", subject, message }, WRITES_EACH_TIME);
  }

  subscribe(subject: Key, signal: AbortSignal): AsyncIterable<Uint8Array> {
    this.#lifecycle.checkOpen("subscribe");
    checkKey(subject);
    return messageStream(this.#lifecycle.admit(signal), (heard) => this.#feed.listen(subject, heard));
  }

  /** Ends like a killed process: leases are left to run out. For tests. */
  abandon(): void {
    this.#leases.abandonAll();
    this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#lifecycle.isClosed) return;
    const isReachable = this.#order.candidates().length > 0;
    if (isReachable) await this.#leases.releaseAll();
    else this.#leases.abandonAll();
    this.#close();
  }

  #close(): void {
    this.#lifecycle.close();
    this.#pending.close("the engine is closed");
    this.#calls[Symbol.dispose]();
    void this.#feed.close();
  }

  #ask(action: string, call: EngineCall, kind: Kind, patience: Millis = this.#timings.patience): Promise<Answered> {
    const bytes = "value" in call ? call.value.length : "message" in call ? call.message.length : 0;
    const waiting = { action, isWrite: kind.isWrite, bytes };
    return this.#pending.pass(waiting, () => this.#calls.ask({ action, call, ...kind, patience }));
  }

  async #renew(token: Epoch, patience: Millis): Promise<"renewed" | "gone"> {
    const call: EngineCall = { type: "renew", token, patience: Math.ceil(patience) as Millis };
    const { answer } = await this.#ask("renew a lease", call, WRITES_ONCE, patience);
    return answer.type === "gone" ? "gone" : "renewed";
  }

  #casResult(action: string, key: Key, answer: Answered["answer"]): CasResult {
    switch (answer.type) {
      case "written":
        this.#feed.made(answer.revision);
        return { outcome: "written", revision: answer.revision };
      case "conflict-none":
        return { outcome: "conflict", current: undefined };
      case "conflict-entry":
        return {
          outcome: "conflict",
          current: { key, value: plainCopy(answer.value), revision: answer.revision },
        };
      default:
        throw unexpected(action, answer);
    }
  }

  #openLogs(): EngineLogs {
    return {
      append: (log, expectedLast, value, append) => this.#append(log, expectedLast, value, append),
      read: (log, from) => this.#read(log, from),
    };
  }

  async #append(
    log: Key,
    expectedLast: number,
    value: Uint8Array,
    { request = this.#nextRequest() }: RepeatableOptions = {},
  ): Promise<AppendResult> {
    this.#lifecycle.checkOpen("append");
    checkKey(log);
    checkSequence(expectedLast, 0);
    checkValue(value, this.capabilities().maxValueBytes);
    const { answer } = await this.#ask("append", { type: "append", request, log, expectedLast, value }, WRITES_ONCE);
    if (answer.type === "appended") return { outcome: "appended", sequence: answer.sequence };
    if (answer.type === "log-conflict") return { outcome: "conflict", last: answer.sequence };
    throw unexpected("append", answer);
  }

  async #read(log: Key, from: number): Promise<readonly LogRecord[]> {
    this.#lifecycle.checkOpen("read");
    checkKey(log);
    checkSequence(from, 1);
    const { answer } = await this.#ask("read", { type: "read", log, from }, READS);
    if (answer.type !== "records") throw unexpected("read", answer);
    return answer.records.map(({ sequence, value }) => ({ sequence, value: plainCopy(value) }));
  }

  #nextRequest(): RequestId {
    return { client: this.#client, sequence: ++this.#sequence };
  }
}

function unexpected(action: string, answer: Answered["answer"]): EngineUnavailableError {
  const reason = `an answer of type ${answer.type}`;
  return new EngineUnavailableError({
    engine: "link",
    action,
    reason,
    isUnknown: action !== "get" && action !== "read",
  });
}
