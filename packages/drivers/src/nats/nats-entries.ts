/** Single entries of a NATS store: reads that ignore markers and entries of dead leases, and compare-and-set changes. */
import type { CasResult, Entry, Key } from "@sluice/engine/engine";
import type { Epoch } from "@sluice/engine/epoch";
import { EngineUnavailableError } from "@sluice/engine/errors";
import { NATS } from "./nats-client.ts";
import type { NatsStore, StoredValue } from "./nats-store.ts";

/** A change of one key; a removal when it has no value. */
export interface Change {
  readonly action: string;
  readonly key: Key;
  readonly expected: Epoch | "absent";
  readonly value?: Uint8Array;
  readonly boundTo?: string;
}

export interface NatsEntriesParts {
  readonly store: NatsStore;
  /** Whether an entry with this binding lost its lease, though it has not been removed yet. */
  readonly isOrphan: (binding: string) => Promise<boolean>;
  /** The server answers but the store does not exist: it may have been wiped. */
  readonly onMissing: (reason: string) => void;
}

const CREATION_ATTEMPTS = 8;

export class NatsEntries {
  readonly #parts: NatsEntriesParts;

  constructor(parts: NatsEntriesParts) {
    this.#parts = parts;
  }

  async get(key: Key): Promise<Entry | undefined> {
    const { store } = this.#parts;
    return this.#toEntry(key, await this.#orDoubt(store.read("get", store.names.key(key))));
  }

  /** Creating over a marker or over an entry of a dead lease compares with that, so it may take several attempts. */
  async change({ action, key, expected, value, boundTo }: Change): Promise<CasResult> {
    const { store } = this.#parts;
    const { generation } = store;
    const subject = store.names.key(key);
    const write = { action, subject, ...(value && { value }), ...(boundTo !== undefined && { boundTo }) };
    let at = firstExpected(expected, generation);
    for (let attempt = 0; attempt < CREATION_ATTEMPTS; attempt++) {
      const sequence = at === undefined ? at : await this.#orDoubt(store.write({ ...write, expected: at }));
      if (sequence !== undefined) return { outcome: "written", revision: { generation, number: sequence } };
      const stored = await this.#orDoubt(store.read(action, subject));
      at = expected === "absent" ? await this.#vacancyOf(stored) : undefined;
      if (at === undefined) return { outcome: "conflict", current: await this.#toEntry(key, stored) };
    }
    const reason = "it keeps changing";
    throw new EngineUnavailableError({ engine: NATS, action, reason, isUnknown: false });
  }

  /** The sequence that a creation must find; undefined if an entry exists. */
  async #vacancyOf(stored: StoredValue | undefined): Promise<number | undefined> {
    if (stored === undefined) return 0;
    return stored.isRemoved || (await this.#parts.isOrphan(stored.boundTo)) ? stored.sequence : undefined;
  }

  async #toEntry(key: Key, stored: StoredValue | undefined): Promise<Entry | undefined> {
    const { store, isOrphan } = this.#parts;
    if (stored === undefined || stored.isRemoved || (await isOrphan(stored.boundTo))) return undefined;
    return { key, value: stored.data, revision: { generation: store.generation, number: stored.sequence } };
  }

  async #orDoubt<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      if (error instanceof EngineUnavailableError && !error.isUnknown) this.#parts.onMissing(error.message);
      throw error;
    }
  }
}

function firstExpected(expected: Epoch | "absent", generation: number): number | undefined {
  if (expected === "absent") return 0;
  return expected.generation === generation && expected.number > 0 ? expected.number : undefined;
}
