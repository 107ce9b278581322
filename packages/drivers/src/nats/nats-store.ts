/** One engine's data on a NATS server: founds or finds the store, and does single reads and conditional writes. */
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
  /** The last message is a removal marker, not a value. */
  readonly isRemoved: boolean;
  readonly boundTo: string;
}

export interface Write {
  readonly action: string;
  readonly subject: string;
  /** Expected sequence of the last message on the subject; 0 for none. */
  readonly expected: number;
  /** Left out: a removal marker. */
  readonly value?: Uint8Array;
  readonly boundTo?: string;
  readonly timeout?: Millis;
}

/** Record in the engine's own small bucket: the current generation, and whether its data bucket was created. */
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

  /** 0 until found. */
  get generation(): number {
    return this.#generation;
  }

  get names(): NatsNames {
    return this.#names;
  }

  /**
   * Finds the current generation. Founds the store with a higher generation than any known here if it was never
   * founded or was wiped. The bucket's name contains the generation, so no write of an older one can reach it.
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
        reason: "it keeps being founded anew",
        isUnknown: false,
      });
    });
  }

  /** The last message on a subject, which may contain wildcards; reflects every acknowledged write. */
  read(action: string, subject: string): Promise<StoredValue | undefined> {
    const { streamName } = this.#names;
    return this.#line.call({ action, isWrite: false, bytes: 0 }, async () => {
      const stored = await this.#line.admin.streams.getMessage(streamName, { last_by_subj: subject });
      return stored === null ? undefined : toStoredValue(stored);
    });
  }

  /** @returns the new sequence, or undefined if the last message is not the expected one */
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

  /** Sequence of the oldest message left: older ones were purged by an operator. */
  async firstSequence(): Promise<number> {
    const { streamName } = this.#names;
    const call = { action: "look at the store", isWrite: false, bytes: 0 };
    return this.#line.call(call, async () => (await this.#line.admin.streams.info(streamName)).state.first_seq);
  }

  /** Sequence of the newest message that a watch will deliver; 0 without any. */
  async lastWatched(): Promise<number> {
    return (await this.read("look at the store", this.#names.watched))?.sequence ?? 0;
  }

  /** Deletes a removal marker for good, unless its subject has a newer message. */
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

  /** Reads go to the leader: followers may lag behind acknowledged writes. */
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
