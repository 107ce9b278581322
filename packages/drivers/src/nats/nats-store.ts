/** One engine's data on a NATS server: founding it, finding it again, and single reads and conditional writes. */
import { JetStreamApiError, type StoredMsg } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { headers, type MsgHdrs } from "@nats-io/transport-node";
import type { Millis } from "@sluice/base/brand";
import { EngineUnavailableError } from "@sluice/engine/errors";
import { DEFAULT_STORE_NAME, type RemoteEngineOptions } from "@sluice/engine/remote/engine-options";
import { isNobodyThere, NATS, type NatsClient } from "./nats-client.ts";
import { type NatsNames, natsNames } from "./nats-names.ts";
import { plainCopy } from "@sluice/engine/remote/plain-copy";

/** Header that binds an entry to a lease: `<slot>.<token number>`. */
export const LEASE_HEADER = "Sluice-Lease";
const OPERATION_HEADER = "KV-Operation";
const WRONG_LAST_SEQUENCE: ReadonlySet<number> = new Set([10071, 10164]);

/** The last message on a subject. */
export interface StoredValue {
  readonly subject: string;
  readonly sequence: number;
  readonly data: Uint8Array;
  /** A marker of removal stands there instead of a value. */
  readonly isRemoved: boolean;
  readonly boundTo: string;
}

export interface Write {
  readonly action: string;
  readonly subject: string;
  /** Sequence of the last message on the subject; 0 when there must be none. */
  readonly expected: number;
  /** Left out: a marker of removal. */
  readonly value?: Uint8Array;
  readonly boundTo?: string;
  readonly timeout?: Millis;
}

/** In the engine's own small bucket: which generation is in force, and whether its bucket was made. */
interface Foundation {
  readonly generation: number;
  readonly isFounded: boolean;
}

const FOUNDING_ATTEMPTS = 20;
const FOUNDATION_KEY = "foundation";

export class NatsStore {
  readonly #line: NatsClient;
  readonly #name: string;
  readonly #replicas: number;
  readonly #wall: () => Millis;
  #generation = 0;
  #names: NatsNames;

  constructor(line: NatsClient, options: RemoteEngineOptions) {
    this.#line = line;
    this.#name = options.name ?? DEFAULT_STORE_NAME;
    this.#replicas = options.replicas ?? 1;
    this.#wall = () => options.clock.wall();
    this.#names = natsNames(this.#name, 0);
  }

  /** 0 until it was found. */
  get generation(): number {
    return this.#generation;
  }

  get names(): NatsNames {
    return this.#names;
  }

  /**
   * Finds the generation in force; founds the store, with a higher one than was ever known here, when it was never
   * founded or was wiped. The bucket's name carries the generation, so no write of an older one can reach it.
   */
  find(): Promise<void> {
    return this.#line.call({ action: "find the store", isWrite: false, bytes: 0 }, async () => {
      const buckets = new Kvm(this.#line.jetstream);
      const own = await buckets.create(this.#name, this.#bucketOptions());
      for (let attempt = 0; attempt < FOUNDING_ATTEMPTS; attempt++) {
        const entry = await own.get(FOUNDATION_KEY);
        const known = entry?.operation === "PUT" ? readFoundation(entry.string()) : undefined;
        const expected = entry?.revision ?? 0;
        const put = (next: Foundation): Promise<unknown> =>
          own.put(FOUNDATION_KEY, JSON.stringify(next), { previousSeq: expected }).catch(ignoreConflict);
        if (known?.isFounded && (await this.#hasBucket(known.generation))) return this.#settle(known.generation);
        if (known === undefined || known.isFounded) {
          await put({ generation: this.#nextGeneration(known?.generation ?? 0), isFounded: false });
        } else {
          await buckets.create(natsNames(this.#name, known.generation).bucket, this.#bucketOptions());
          await put({ generation: known.generation, isFounded: true });
        }
      }
      throw new EngineUnavailableError({
        engine: NATS,
        action: "find the store",
        reason: "others found it anew all the time",
        isUnknown: false,
      });
    });
  }

  /** The last message on a subject, which may hold wildcards; never behind one that was acknowledged before. */
  read(action: string, subject: string): Promise<StoredValue | undefined> {
    const { streamName } = this.#names;
    return this.#line.call({ action, isWrite: false, bytes: 0 }, async () => {
      const stored = await this.#line.admin.streams.getMessage(streamName, { last_by_subj: subject });
      return stored === null ? undefined : toStoredValue(stored);
    });
  }

  /** @returns the new sequence, or undefined when another message than expected is the last */
  write(write: Write): Promise<number | undefined> {
    const bytes = write.value?.length ?? 0;
    return this.#line.call({ action: write.action, isWrite: true, bytes }, async () => {
      try {
        const ack = await this.#line.jetstream.publish(write.subject, write.value, {
          headers: headersOf(write),
          expect: { lastSubjectSequence: write.expected },
          ...(write.timeout === undefined ? {} : { timeout: write.timeout }),
        });
        return ack.seq;
      } catch (error) {
        return ignoreConflict(error);
      }
    });
  }

  /** Sequence of the oldest message still there: what stood before was swept by somebody's hand. */
  async firstSequence(): Promise<number> {
    const { streamName } = this.#names;
    const call = { action: "look at the store", isWrite: false, bytes: 0 };
    return this.#line.call(call, async () => (await this.#line.admin.streams.info(streamName)).state.first_seq);
  }

  /** Sequence of the newest message that a watch is to tell; 0 without any. */
  async lastWatched(): Promise<number> {
    return (await this.read("look at the store", this.#names.watched))?.sequence ?? 0;
  }

  /** Takes a marker of removal away for good, unless something newer stands on its subject. */
  async sweep(subject: string, sequence: number): Promise<void> {
    const { streamName } = this.#names;
    await this.#line.call({ action: "sweep", isWrite: false, bytes: 0 }, () =>
      this.#line.admin.streams.purge(streamName, { filter: subject, seq: sequence + 1 }),
    );
  }

  #settle(generation: number): void {
    this.#generation = generation;
    this.#names = natsNames(this.#name, generation);
  }

  #nextGeneration(known: number): number {
    return Math.max(this.#wall(), known + 1, this.#generation + 1);
  }

  /** Reads go to the leader: followers may lag behind what was acknowledged. */
  #bucketOptions(): { history: number; replicas: number; allow_direct: boolean } {
    return { history: 1, replicas: this.#replicas, allow_direct: false };
  }

  async #hasBucket(generation: number): Promise<boolean> {
    try {
      await this.#line.admin.streams.info(natsNames(this.#name, generation).streamName);
      return true;
    } catch (error) {
      if (error instanceof JetStreamApiError && isNobodyThere(error)) return false;
      throw error;
    }
  }
}

export function isRemoval(messageHeaders: MsgHdrs | undefined): boolean {
  const operation = messageHeaders?.get(OPERATION_HEADER);
  return operation === "DEL" || operation === "PURGE";
}

function headersOf({ value, boundTo }: Write): MsgHdrs {
  const made = headers();
  if (value === undefined) made.set(OPERATION_HEADER, "DEL");
  if (boundTo !== undefined) made.set(LEASE_HEADER, boundTo);
  return made;
}

function toStoredValue(stored: StoredMsg): StoredValue {
  return {
    subject: stored.subject,
    sequence: stored.seq,
    data: plainCopy(stored.data),
    isRemoved: isRemoval(stored.header),
    boundTo: stored.header?.get(LEASE_HEADER) ?? "",
  };
}

function ignoreConflict(error: unknown): undefined {
  if (error instanceof JetStreamApiError && WRONG_LAST_SEQUENCE.has(error.code)) return undefined;
  throw error;
}

function readFoundation(text: string): Foundation | undefined {
  try {
    const value = JSON.parse(text) as Partial<Foundation>;
    if (!Number.isSafeInteger(value.generation) || typeof value.isFounded !== "boolean") return undefined;
    return { generation: value.generation as number, isFounded: value.isFounded };
  } catch {
    return undefined;
  }
}
