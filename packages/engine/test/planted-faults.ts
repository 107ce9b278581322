/** Faults that an engine can have, each laid over a sound one. */
import type { Millis } from "@sluice/base/brand";
import type { Engine, EngineLogs, Entry, Key, Lease, WatchEvent } from "@sluice/engine/engine";
import { compareEpochs, type Epoch } from "@sluice/engine/epoch";
import { EngineClosedError } from "@sluice/engine/errors";
import type { MemoryEngine } from "@sluice/engine/memory-engine";
import type { MemoryHarness } from "./memory-harness.ts";

type Overrides = Partial<Omit<Engine, typeof Symbol.asyncDispose>> & { readonly close?: () => Promise<void> };

/** The sound engine with some calls replaced. */
export function altered(engine: Engine, overrides: Overrides): Engine {
  return {
    capabilities: () => engine.capabilities(),
    get: (key) => engine.get(key),
    cas: (key, expected, value, options) => engine.cas(key, expected, value, options),
    remove: (key, expected, options) => engine.remove(key, expected, options),
    watch: (prefix, signal) => engine.watch(prefix, signal),
    lease: (ttl) => engine.lease(ttl),
    publish: (subject, message) => engine.publish(subject, message),
    subscribe: (subject, signal) => engine.subscribe(subject, signal),
    ...(engine.logs && { logs: engine.logs }),
    ...(engine.replica && { replica: engine.replica }),
    ...overrides,
    [Symbol.asyncDispose]: overrides.close ?? (() => Promise.resolve(engine[Symbol.asyncDispose]())),
  };
}

/** A watch whose events pass through `change`, which answers what the watcher hears instead. */
export function watchThrough(engine: Engine, change: (event: WatchEvent) => readonly WatchEvent[]): Engine["watch"] {
  return (prefix, signal) => mapEach(engine.watch(prefix, signal), change);
}

async function* mapEach<T>(source: AsyncIterable<T>, change: (item: T) => readonly T[]): AsyncGenerator<T> {
  for await (const item of source) yield* change(item);
}

/** A lease with some properties replaced. */
export function alteredLease(lease: Lease, overrides: Partial<Lease>): Lease {
  return {
    token: lease.token,
    ttl: lease.ttl,
    get validUntil() {
      return overrides.validUntil ?? lease.validUntil;
    },
    lost: lease.lost,
    release: () => lease.release(),
    ...overrides,
  };
}

export function leasing(engine: Engine, change: (lease: Lease) => Lease): Engine["lease"] {
  return async (ttl) => change(await engine.lease(ttl));
}

export const NEVER = new AbortController().signal;
export const FOREVER = Number.MAX_SAFE_INTEGER as Millis;

/** Writes whatever stands, and however often others come between. */
export async function overwrite(engine: Engine, key: Key, value: Uint8Array): ReturnType<Engine["cas"]> {
  for (;;) {
    const standing = await engine.get(key);
    const result = await engine.cas(key, standing?.revision ?? "absent", value);
    if (result.outcome === "written") return result;
  }
}

/** Maps every key that a caller names, and so makes some keys one. */
export function renamed(engine: Engine, rename: (key: Key) => Key): Engine {
  return altered(engine, {
    get: (key) => engine.get(rename(key)),
    cas: (key, expected, value, options) => engine.cas(rename(key), expected, value, options),
    remove: (key, expected) => engine.remove(rename(key), expected),
  });
}

export function withLogs(engine: MemoryEngine, logs: Partial<EngineLogs>): Engine {
  return altered(engine, { logs: { ...engine.logs, ...logs } });
}

/** Revisions as if each were its key's own count. */
export function countedPerKey(engine: Engine): Engine {
  const inner = new Map<string, Epoch>();
  const counts = new Map<Key, number>();
  const outward = (key: Key, revision: Epoch): Epoch => {
    const number = (counts.get(key) ?? 0) + 1;
    counts.set(key, number);
    inner.set(`${key} ${number}`, revision);
    return { ...revision, number };
  };
  const inward = (key: Key, revision: Epoch): Epoch => inner.get(`${key} ${revision.number}`) ?? revision;
  return altered(engine, {
    cas: async (key, expected, value, options) => {
      const result = await engine.cas(key, expected === "absent" ? expected : inward(key, expected), value, options);
      return result.outcome === "written" ? { ...result, revision: outward(key, result.revision) } : result;
    },
    remove: async (key, expected) => {
      const result = await engine.remove(key, inward(key, expected));
      return result.outcome === "written" ? { ...result, revision: outward(key, result.revision) } : result;
    },
  });
}

/** Reads once per key, and then remembers. */
export function remembering(engine: Engine): Engine {
  const seen = new Map<Key, Entry | undefined>();
  return altered(engine, {
    get: async (key) => {
      if (!seen.has(key)) seen.set(key, await engine.get(key));
      return seen.get(key);
    },
  });
}

/** Forgets the generation, so that a wiped store counts from where it began. */
export function withoutGeneration(engine: Engine): Engine {
  const flat = (epoch: Epoch): Epoch => ({ ...epoch, generation: 0 });
  return altered(engine, {
    cas: async (key, expected, value, options) => {
      const standing = await engine.get(key);
      const isSame = expected !== "absent" && standing?.revision.number === expected.number;
      const result = await engine.cas(key, isSame ? standing.revision : "absent", value, options);
      return result.outcome === "written" ? { ...result, revision: flat(result.revision) } : result;
    },
    lease: leasing(engine, (lease) => alteredLease(lease, { token: flat(lease.token) })),
  });
}

/** Every engine counts tokens for itself. */
export function ownTokens(engine: Engine): Engine {
  let count = 0;
  return altered(engine, {
    lease: leasing(engine, (lease) => alteredLease(lease, { token: { generation: 1, number: ++count } })),
  });
}

/** Keys stay bound to the lease of their first write. */
export function bindingOnce(engine: Engine): Engine {
  const bound = new Map<Key, Pick<Lease, "token">>();
  return altered(engine, {
    cas: (key, expected, value, options) => {
      const lease = bound.get(key) ?? options?.lease;
      if (lease !== undefined) bound.set(key, lease);
      return engine.cas(key, expected, value, lease && { lease });
    },
  });
}

/** Every message once more, the same moment. */
export function publishingTwice(engine: Engine): Engine["publish"] {
  return async (subject, message) => {
    await engine.publish(subject, message);
    await engine.publish(subject, message);
  };
}

/** Every other message waits for the one after it. */
export function publishingLate(engine: Engine): Engine["publish"] {
  const waiting: Uint8Array[] = [];
  return async (subject, message) => {
    const isPing = message.length < 10;
    if (!isPing && waiting.push(message.slice()) < 2) return;
    if (isPing) await engine.publish(subject, message);
    else for (const late of waiting.splice(0).reverse()) await engine.publish(subject, late);
  };
}

/** Keeps the last message of a subject for who comes later. */
export function retaining(engine: Engine, kept: Map<Key, Uint8Array>): Engine {
  return altered(engine, {
    publish: async (subject, message) => {
      if (!kept.has(subject)) kept.set(subject, message.slice());
      await engine.publish(subject, message);
    },
    subscribe: async function* (subject, signal) {
      const first = kept.get(subject);
      if (first !== undefined) yield first;
      yield* engine.subscribe(subject, signal);
    },
  });
}

export function rejectingAtEnd<T>(source: AsyncIterable<T>): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]: async function* () {
      for await (const item of source) yield item;
      throw new Error("Aborted");
    },
  };
}

/** Goes on where it was after an interruption, as if nothing had been missed: puts only. */
export function resuming(engine: Engine): Engine {
  return altered(engine, {
    watch: (prefix, signal) => {
      let resets = 0;
      let currents = 0;
      return mapEach(engine.watch(prefix, signal), (event) => {
        if (event.type === "reset" && ++resets > 1) return [];
        if (event.type === "current" && ++currents > 1) return [];
        return [event];
      });
    },
  });
}

/** A watch that begins right behind a write does not know it yet, once in forty times. */
export function laggingBehindWrites(engine: Engine): Engine {
  let writes = 0;
  let last: Epoch | undefined;
  return altered(engine, {
    cas: async (...args) => {
      const result = await engine.cas(...args);
      last = result.outcome === "written" && ++writes % 40 === 0 ? result.revision : undefined;
      return result;
    },
    watch: (prefix, signal) => {
      let late: WatchEvent | undefined;
      return mapEach(engine.watch(prefix, signal), (event) => {
        if (event.type === "put" && last !== undefined && compareEpochs(event.entry.revision, last) === 0) late = event;
        if (event.type === "current" && late !== undefined) return [event, late];
        return event === late ? [] : [event];
      });
    },
  });
}

/** Takes being cut off for the end of everybody. */
export function emptying(engine: Engine): Engine {
  return altered(engine, {
    watch: (prefix, signal) => {
      const known = new Map<Key, Epoch>();
      return mapEach(engine.watch(prefix, signal), (event): WatchEvent[] => {
        if (event.type === "put") known.set(event.entry.key, event.entry.revision);
        if (event.type !== "stale") return [event];
        return [...[...known].map(([key, revision]): WatchEvent => ({ type: "deleted", key, revision })), event];
      });
    },
  });
}

/** Tells the older of two events after the newer one. */
export function disordered(engine: Engine): Engine {
  return altered(engine, {
    watch: (prefix, signal) => {
      const last = new Map<Key, WatchEvent>();
      return mapEach(engine.watch(prefix, signal), (event): WatchEvent[] => {
        if (event.type !== "put") return [event];
        const before = last.get(event.entry.key);
        last.set(event.entry.key, event);
        return before === undefined ? [event] : [event, before];
      });
    },
  });
}

/** Ignores what comes while its reader is busy. */
export function forgetful(engine: Engine): Engine {
  return altered(engine, {
    watch: (prefix, signal) => {
      let isFull = false;
      return mapEach(engine.watch(prefix, signal), (event) => {
        if (event.type === "put" && isFull) return [];
        isFull ||= event.type === "put" || event.type === "current";
        return [event];
      });
    },
  });
}

/** A holder's view that never ends, whatever its clock says. */
export function trusting(lease: Lease): Lease {
  return alteredLease(lease, { lost: NEVER });
}

export function countedFromAnswer(lease: Lease, harness: MemoryHarness): Lease {
  const late = Math.floor(harness.leaseTtl / 5);
  return {
    token: lease.token,
    ttl: lease.ttl,
    get validUntil() {
      return (lease.validUntil + late) as Millis;
    },
    lost: lease.lost,
    release: () => lease.release(),
  };
}

/** As if its holder renewed from beyond the grave: by a second client that nobody cuts. */
export function keepingAlive(engine: MemoryEngine, harness: MemoryHarness): Engine {
  return altered(engine, {
    lease: async (ttl) => {
      const lease = await engine.lease(ttl);
      const renewLater = (): void => {
        harness.clock.after((ttl / 2) as Millis, () => {
          if (harness.store.renew(lease.token) === "renewed") renewLater();
        });
      };
      renewLater();
      return lease;
    },
  });
}

export function letsGoEarly(engine: MemoryEngine, harness: MemoryHarness): Engine {
  return altered(engine, {
    lease: async (ttl) => {
      const lease = await engine.lease(ttl);
      harness.clock.after((ttl / 2) as Millis, () => harness.store.release(lease.token));
      return lease;
    },
  });
}

/** Its leases have no time to live of their own: they end when the connection does. */
export function endsWithConnection(engine: MemoryEngine, harness: MemoryHarness): Engine {
  const tokens: Epoch[] = [];
  const cut = engine.cut.bind(engine);
  engine.cut = () => {
    for (const token of tokens) harness.store.release(token);
    cut();
  };
  return altered(engine, {
    lease: leasing(engine, (lease) => {
      tokens.push(lease.token);
      return lease;
    }),
  });
}

/** Says that a write was not made which then is. */
export function makesWhatItRefused(engine: MemoryEngine, harness: MemoryHarness): Engine {
  return altered(engine, {
    cas: async (key, expected, value, options) => {
      try {
        return await engine.cas(key, expected, value, options);
      } catch (error) {
        harness.store.cas(key, "absent", value.slice(), undefined);
        throw error;
      }
    },
  });
}

export function afterClosing(engine: Engine, call: "get" | "publish" | "watch"): Engine {
  const nothing = {
    get: () => Promise.resolve(undefined),
    publish: () => Promise.resolve(),
    watch: async function* (): AsyncGenerator<WatchEvent> {},
  };
  let isClosed = false;
  return altered(engine, {
    [call]: (...args: never[]) =>
      isClosed ? nothing[call]() : (engine[call] as (...all: never[]) => unknown).apply(engine, args),
    close: async () => {
      isClosed = true;
      await engine[Symbol.asyncDispose]();
    },
  });
}

export function closingOnce(engine: Engine): Engine {
  let isClosed = false;
  return altered(engine, {
    close: async () => {
      if (isClosed) throw new EngineClosedError({ action: "close" });
      isClosed = true;
      await engine[Symbol.asyncDispose]();
    },
  });
}

export function isOver(error: unknown): boolean {
  return error instanceof Error && "code" in error && String(error.code).startsWith("LIMIT_");
}

export async function unlimited<T>(call: () => Promise<T>, instead: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (isOver(error)) return instead();
    throw error;
  }
}

export function shortened(value: Uint8Array): Uint8Array {
  return value.subarray(0, value.length - 1);
}
