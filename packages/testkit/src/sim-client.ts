/** Simulated clients of a store of registers: they send requests, retry, give up, and record everything in the history. */
import type { Millis } from "@sluice/base/brand";
import type { FakeClock } from "./fake-clock.ts";
import type { HistoryRecorder, OperationHandle, RegisterAnswer, RegisterCall, RegisterValue } from "./history.ts";
import { randomBelow } from "./random.ts";

export interface ClientRequest {
  /** The same for every attempt of one operation. */
  readonly id: string;
  readonly key: string;
  readonly call: RegisterCall;
}

/** Sends requests to the store under test; implemented by the test. */
export interface RequestSender {
  send(client: string, request: ClientRequest, attempt: number): void;
}

export interface SimClientOptions {
  readonly name: string;
  readonly clock: FakeClock;
  readonly random: () => number;
  readonly recorder: HistoryRecorder;
  readonly sender: RequestSender;
  readonly keys: readonly string[];
  /** Timeout of each attempt, number of attempts, and longest pause between operations. */
  readonly waitMillis?: number;
  readonly attempts?: number;
  readonly restMillis?: number;
}

interface UnderWay {
  readonly request: ClientRequest;
  readonly handle: OperationHandle;
  attempt: number;
}

/** One operation at a time until stopped. An operation that it gave up may still happen. */
export class SimClient {
  readonly #options: Required<SimClientOptions>;
  readonly #lastSeen = new Map<string, RegisterValue>();
  #underWay: UnderWay | undefined;
  #count = 0;
  #isStopped = false;

  constructor(options: SimClientOptions) {
    this.#options = { waitMillis: 60, attempts: 1, restMillis: 20, ...options };
  }

  start(): void {
    this.#rest();
  }

  /** An operation in progress counts as unknown. */
  stop(): void {
    this.#isStopped = true;
    this.#underWay?.handle.unknown();
    this.#underWay = undefined;
  }

  /** Takes an answer. Ignores a late or repeated one. */
  answered(id: string, answer: RegisterAnswer): void {
    const underWay = this.#take(id);
    if (underWay === undefined) return;
    const { key, call } = underWay.request;
    if (answer.type === "found") this.#lastSeen.set(key, answer.value);
    else if (call.type === "delete") this.#lastSeen.set(key, null);
    else if ("value" in call && (answer.type === "done" || answer.success)) this.#lastSeen.set(key, call.value);
    underWay.handle.answered(answer);
    this.#rest();
  }

  /** This attempt did not and will not happen. @param certainly  true if that holds for all earlier attempts too */
  refused(id: string, certainly: boolean): void {
    const underWay = this.#take(id);
    if (underWay === undefined) return;
    if (certainly && underWay.attempt === 1) underWay.handle.refused();
    else underWay.handle.unknown();
    this.#rest();
  }

  #take(id: string): UnderWay | undefined {
    if (this.#underWay?.request.id !== id) return undefined;
    const underWay = this.#underWay;
    this.#underWay = undefined;
    return underWay;
  }

  #rest(): void {
    this.#after(randomBelow(this.#options.random, this.#options.restMillis + 1), () => this.#ask());
  }

  #ask(): void {
    const { name, keys, random, recorder } = this.#options;
    const key = keys[randomBelow(random, keys.length)] as string;
    const request = { id: `${name}-${this.#count++}`, key, call: this.#randomCall(key) };
    this.#underWay = { request, handle: recorder.begin(name, key, request.call), attempt: 0 };
    this.#attempt(this.#underWay);
  }

  #attempt(underWay: UnderWay): void {
    underWay.attempt++;
    this.#after(this.#options.waitMillis, () => this.#timedOut(underWay));
    this.#options.sender.send(this.#options.name, underWay.request, underWay.attempt);
  }

  #timedOut(underWay: UnderWay): void {
    if (this.#underWay !== underWay) return;
    if (underWay.attempt < this.#options.attempts) return this.#attempt(underWay);
    this.#take(underWay.request.id)?.handle.unknown();
    this.#rest();
  }

  #after(delay: number, action: () => void): void {
    this.#options.clock.after(delay as Millis, () => {
      if (!this.#isStopped) action();
    });
  }

  /** Each written value is unique, so that a read identifies its write. */
  #randomCall(key: string): RegisterCall {
    const { name, random } = this.#options;
    const kind = random();
    const value = `${name}.${this.#count}`;
    if (kind < 0.4) return { type: "get" };
    if (kind < 0.7) return { type: "put", value };
    if (kind < 0.95) return { type: "cas", expected: this.#lastSeen.get(key) ?? null, value };
    return { type: "delete" };
  }
}
