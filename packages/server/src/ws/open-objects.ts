/** The shared objects that one `sluice.v1` client has open: its requests to them, and what it is given as it takes it. */
import type { Clock } from "@sluice/base/clock";
import type { SluiceV1Limits } from "@sluice/client/contract/limits";
import type { Answer, Encoding, RefusalCode } from "@sluice/client/contract/sluice-v1";
import { findStreamKey, type StreamKey } from "@sluice/media/stream-key";
import type { Outcome, Refusal } from "@sluice/state/change";
import type { ConnectOptions, ObjectClient } from "@sluice/state/object-client";
import type { Plain } from "@sluice/state/plain-data";
import { TokenBucket } from "@sluice/state/token-bucket";
import { OBJECT_SESSION_LIMITS } from "../sessions/limits.ts";
import type { DeliveryFrames } from "./frames.ts";
import type { FlushRound } from "./flush-round.ts";
import type { MessageTransport } from "./message-transport.ts";
import type { NetCounts } from "./net-counts.ts";
import { durabilityOf, outcomeAnswer, refusalAnswer } from "./object-messages.ts";
import type { NetRequest } from "./request-fields.ts";

/** Opens objects of this node, or of the cluster. */
export interface ObjectSource {
  connect(path: StreamKey, options: ConnectOptions): ObjectClient | Refusal;
}

export interface OpenObjectsOptions {
  readonly source: ObjectSource;
  /** Path of the connection. */
  readonly base: StreamKey;
  /** Names this client in changes; unique in the cluster. */
  readonly client: string;
  readonly who: Plain;
  readonly encoding: Encoding;
  readonly clock: Clock;
  readonly limits: Pick<SluiceV1Limits, "objects">;
  readonly frames: DeliveryFrames;
  readonly round: FlushRound;
  readonly counts: NetCounts;
  readonly transport: Pick<MessageTransport, "output" | "send">;
  readonly answer: (answer: Answer) => void;
  /** The session must end. */
  readonly fail: (error: unknown) => void;
}

interface OpenObject {
  readonly path: string;
  readonly client: ObjectClient;
  /** Nothing is given before the answer to `open`. */
  isTold: boolean;
  /** Something was given. */
  isBegun: boolean;
  /** Since the last delivery; not fewer than the changes that wait. */
  wakes: number;
}

type RequestOf<Type> = NetRequest & { readonly type: Type };

/** More of one client's deliveries is not put behind each other. */
const BURST_BYTES = 32 * 1024;
/** Changes of one object that wait for the end of a turn; below `ObjectLimits.behindChanges`, at which they would be merged. */
const BURST_CHANGES = 32;

export class OpenObjects implements Disposable {
  readonly #options: OpenObjectsOptions;
  readonly #open = new Map<string, OpenObject>();
  readonly #openings: TokenBucket;
  /** May have something to take. */
  readonly #ready = new Set<OpenObject>();
  /** For the client to take what it was sent. */
  #isWaiting = false;
  #skips = 0;
  #isClosed = false;

  constructor(options: OpenObjectsOptions) {
    this.#options = options;
    this.#openings = new TokenBucket(options.clock, OBJECT_SESSION_LIMITS.openingsPerSecond);
  }

  get size(): number {
    return this.#open.size;
  }

  get isLagging(): boolean {
    return this.#isWaiting;
  }

  /** Times that changes were merged, or a snapshot took their place. */
  get skips(): number {
    return this.#skips;
  }

  /** Settles once it was answered. */
  async open(id: number, { name, durability, from }: RequestOf<"open">): Promise<void> {
    const { answer, source, base, client, who, limits } = this.#options;
    const path = findStreamKey(name) && findStreamKey(`${base}/${name}`);
    if (path === undefined) return answer(refused(id, "name", name));
    if (this.#open.has(path)) return answer(refused(id, "already-open", path));
    if (this.#open.size >= limits.objects) return answer(refused(id, "limit", "objects"));
    if (!this.#openings.take()) return answer(refused(id, "rate", "openingsPerSecond"));
    const found = source.connect(path, {
      client,
      who,
      sequence: id,
      ready: () => this.#wake(object),
      ...(durability !== undefined && { durability: durabilityOf(durability) }),
      ...(from !== undefined && { from }),
    });
    if ("status" in found) return answer(refusalAnswer(id, found));
    const object: OpenObject = { path, client: found, isTold: false, isBegun: false, wakes: 0 };
    this.#open.set(path, object);
    const outcome = await found.connected;
    if (outcome.type === "refused") {
      if (this.#open.get(path) === object) this.#open.delete(path);
      return answer(refusalAnswer(id, outcome));
    }
    answer({ type: "answer", id, status: "success", object: path, recovered: outcome.recovered });
    object.isTold = true;
    this.#wake(object);
  }

  /** Settles once it was answered; in the order in which they came, also of an object whose opening is not answered yet. */
  async write(id: number, { object: path, wishes }: RequestOf<"write">): Promise<void> {
    const { answer } = this.#options;
    const object = this.#open.get(path);
    if (object === undefined) return answer(refused(id, "not-open", path));
    const write = (): Promise<Outcome> => object.client.write(wishes, id);
    const outcome = await (object.isTold ? write() : object.client.connected.then(write));
    if (outcome.type === "success") this.flush();
    answer(outcomeAnswer(id, outcome));
  }

  close(id: number, { object: path }: RequestOf<"close">): void {
    const { answer } = this.#options;
    const object = this.#open.get(path);
    if (object === undefined) return answer(refused(id, "not-open", path));
    this.#open.delete(path);
    this.#ready.delete(object);
    object.client[Symbol.dispose]();
    answer({ type: "answer", id, status: "success" });
  }

  /** Never throws: it is called in the middle of others' work. */
  flush(): void {
    if (this.#isClosed || this.#isWaiting) return;
    try {
      this.#give();
    } catch (error) {
      this.#options.fail(error);
    }
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const { client } of this.#open.values()) client[Symbol.dispose]();
    this.#open.clear();
    this.#ready.clear();
  }

  /** Gives what there is, as far as the client takes it; the rest merges meanwhile in the objects' histories. */
  #give(): void {
    const { transport, round } = this.#options;
    const batch: Uint8Array[] = [];
    const isDone = this.#take(batch);
    if (batch.length > 0) transport.send(batch.length === 1 ? (batch[0] as Uint8Array) : Buffer.concat(batch));
    if (isDone) return;
    if (!transport.output.isBehind) return round.add(this);
    this.#isWaiting = true;
    transport.output.whenTaken(() => {
      this.#isWaiting = false;
      this.flush();
    });
  }

  /** @returns whether nothing is left */
  #take(batch: Uint8Array[]): boolean {
    const { frames, encoding, transport, counts } = this.#options;
    let byteCount = 0;
    for (const object of this.#ready) {
      object.wakes = 0;
      for (;;) {
        if (byteCount > BURST_BYTES || transport.output.isBehind) return false;
        const delivery = object.client.take();
        if (delivery === undefined) break;
        if (counts.delivered(delivery) && object.isBegun) this.#skips++;
        object.isBegun = true;
        const frame = frames.frameOf(object.path, delivery, encoding);
        batch.push(frame);
        byteCount += frame.length;
      }
      this.#ready.delete(object);
    }
    return true;
  }

  #wake(object: OpenObject): void {
    if (!object.isTold || this.#isClosed || this.#open.get(object.path) !== object) return;
    this.#ready.add(object);
    if (this.#isWaiting) return;
    if (++object.wakes > BURST_CHANGES) this.flush();
    else this.#options.round.add(this);
  }
}

function refused(id: number, code: RefusalCode, detail: string): Answer {
  return { type: "answer", id, status: "refused", code, detail };
}
