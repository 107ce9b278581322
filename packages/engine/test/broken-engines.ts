/** Engines with one fault each: the suite must refuse every one of them by the rule that it breaks. */
import type { Millis } from "@sluice/base/brand";
import type { Plant } from "./memory-harness.ts";
import {
  FOREVER,
  NEVER,
  afterClosing,
  altered,
  alteredLease,
  bindingOnce,
  closingOnce,
  countedFromAnswer,
  countedPerKey,
  disordered,
  emptying,
  endsWithConnection,
  forgetful,
  keepingAlive,
  laggingBehindWrites,
  leasing,
  letsGoEarly,
  makesWhatItRefused,
  overwrite,
  ownTokens,
  publishingLate,
  publishingTwice,
  rejectingAtEnd,
  remembering,
  renamed,
  resuming,
  retaining,
  shortened,
  trusting,
  unlimited,
  watchThrough,
  withLogs,
  withoutGeneration,
} from "./planted-faults.ts";

export interface BrokenEngine {
  readonly rule: `ENG${number}`;
  readonly fault: string;
  readonly plant: Plant;
}

export const BROKEN_ENGINES: readonly BrokenEngine[] = [
  {
    rule: "ENG1",
    fault: "creates over what stands",
    plant: (e) =>
      altered(e, {
        cas: (key, expected, value) => (expected === "absent" ? overwrite(e, key, value) : e.cas(key, expected, value)),
      }),
  },
  {
    rule: "ENG2",
    fault: "looks first and writes after",
    plant: (e) =>
      altered(e, {
        cas: async (key, expected, value) => {
          const standing = await e.get(key);
          if (expected === "absent" && standing !== undefined) return { outcome: "conflict", current: standing };
          await Promise.resolve();
          return overwrite(e, key, value);
        },
      }),
  },
  {
    rule: "ENG3",
    fault: "writes although somebody else did",
    plant: (e) =>
      altered(e, {
        cas: async (key, expected, value) => {
          const result = await e.cas(key, expected, value);
          return result.outcome === "conflict" ? overwrite(e, key, value) : result;
        },
      }),
  },
  {
    rule: "ENG4",
    fault: "does not tell what stands",
    plant: (e) =>
      altered(e, {
        cas: async (...args) => {
          const result = await e.cas(...args);
          return result.outcome === "conflict" ? { outcome: "conflict", current: undefined } : result;
        },
      }),
  },
  {
    rule: "ENG5",
    fault: "removes whatever stands",
    plant: (e) =>
      altered(e, {
        remove: async (key, expected) => e.remove(key, (await e.get(key))?.revision ?? expected),
      }),
  },
  { rule: "ENG6", fault: "counts revisions per key", plant: (e) => countedPerKey(e) },
  { rule: "ENG7", fault: "reads from a memory of its own", plant: (e) => remembering(e) },
  {
    rule: "ENG10",
    fault: "takes values for text",
    plant: (e) =>
      altered(e, {
        cas: (key, expected, value, options) =>
          e.cas(key, expected, new TextEncoder().encode(new TextDecoder().decode(value)).slice(0, 524_288), options),
      }),
  },
  {
    rule: "ENG11",
    fault: "cuts values that are too long",
    plant: (e) =>
      altered(e, {
        cas: (key, expected, value) =>
          unlimited(
            () => e.cas(key, expected, value),
            () => e.cas(key, expected, shortened(value)),
          ),
      }),
  },
  { rule: "ENG12", fault: "ends keys at a NUL", plant: (e) => renamed(e, (key) => key.split("\u0000")[0] || key) },
  { rule: "ENG12", fault: "normalises keys", plant: (e) => renamed(e, (key) => key.trim() || key) },
  { rule: "ENG12", fault: "ignores case", plant: (e) => renamed(e, (key) => key.toLowerCase()) },
  { rule: "ENG13", fault: "cuts keys that are too long", plant: (e) => renamed(e, (key) => key.slice(0, 512)) },
  { rule: "ENG13", fault: "gives the empty key a name", plant: (e) => renamed(e, (key) => key || "empty") },
  {
    rule: "ENG14",
    fault: "copies the value only when it is sent",
    plant: (e) =>
      altered(e, {
        cas: async (...args) => {
          await Promise.resolve();
          return e.cas(...args);
        },
      }),
  },
  { rule: "ENG14", fault: "gives every reader the same bytes", plant: (e) => remembering(e) },
  {
    rule: "ENG20",
    fault: "begins without reset",
    plant: (e) => altered(e, { watch: watchThrough(e, (event) => (event.type === "reset" ? [] : [event])) }),
  },
  {
    rule: "ENG20",
    fault: "never says current",
    plant: (e) => altered(e, { watch: watchThrough(e, (event) => (event.type === "current" ? [] : [event])) }),
  },
  {
    rule: "ENG20",
    fault: "leaves out what stands",
    plant: (e) => altered(e, { watch: watchThrough(e, (event) => (event.type === "put" ? [] : [event])) }),
  },
  {
    rule: "ENG20",
    fault: "tells what its client wrote last behind current",
    plant: (e) => laggingBehindWrites(e),
  },
  {
    rule: "ENG21",
    fault: "takes the prefix for a pattern",
    plant: (e) => altered(e, { watch: (prefix, signal) => e.watch(prefix.replace(/\*.*$/, ""), signal) }),
  },
  {
    rule: "ENG21",
    fault: "takes the prefix for a folder",
    plant: (e) => altered(e, { watch: (prefix, signal) => e.watch(prefix === "a" ? "a/" : prefix, signal) }),
  },
  { rule: "ENG22", fault: "tells the older event last", plant: (e) => disordered(e) },
  {
    rule: "ENG22",
    fault: "misses the last value",
    plant: (e) =>
      altered(e, {
        watch: watchThrough(e, (event) =>
          event.type === "put" && new TextDecoder().decode(event.entry.value) === "39" ? [] : [event],
        ),
      }),
  },
  {
    rule: "ENG23",
    fault: "does not tell removals",
    plant: (e) => altered(e, { watch: watchThrough(e, (event) => (event.type === "deleted" ? [] : [event])) }),
  },
  { rule: "ENG24", fault: "forgets what comes while nobody asks", plant: (e) => forgetful(e) },
  { rule: "ENG25", fault: "resumes as if nothing had been missed", plant: (e) => resuming(e) },
  { rule: "ENG26", fault: "tells all as deleted when cut off", plant: (e) => emptying(e) },
  {
    rule: "ENG26",
    fault: "does not say stale",
    plant: (e) => altered(e, { watch: watchThrough(e, (event) => (event.type === "stale" ? [] : [event])) }),
  },
  {
    rule: "ENG27",
    fault: "ignores the signal",
    plant: (e) => altered(e, { watch: (prefix) => e.watch(prefix, NEVER) }),
  },
  {
    rule: "ENG27",
    fault: "rejects at the end",
    plant: (e) => altered(e, { watch: (prefix, signal) => rejectingAtEnd(e.watch(prefix, signal)) }),
  },
  {
    rule: "ENG30",
    fault: "leaves the keys to the time to live",
    plant: (e) => altered(e, { lease: leasing(e, (lease) => alteredLease(lease, { release: async () => undefined })) }),
  },
  {
    rule: "ENG30",
    fault: "leaves the holder believing",
    plant: (e) =>
      altered(e, { lease: leasing(e, (lease) => alteredLease(lease, { validUntil: FOREVER, lost: NEVER })) }),
  },
  { rule: "ENG31", fault: "lets go of a lease that is renewed", plant: letsGoEarly },
  { rule: "ENG32", fault: "keeps the keys of the dead", plant: keepingAlive },
  { rule: "ENG32", fault: "ends leases with the connection", plant: endsWithConnection },
  {
    rule: "ENG33",
    fault: "leaves the holder believing after closing",
    plant: (e) => altered(e, { lease: leasing(e, trusting) }),
  },
  { rule: "ENG34", fault: "counts tokens per client", plant: (e) => ownTokens(e) },
  { rule: "ENG35", fault: "binds a key for ever", plant: (e) => bindingOnce(e) },
  {
    rule: "ENG36",
    fault: "counts from the answer",
    plant: (e, harness) => altered(e, { lease: leasing(e, (lease) => countedFromAnswer(lease, harness)) }),
  },
  { rule: "ENG37", fault: "ends leases with the connection", plant: endsWithConnection },
  {
    rule: "ENG37",
    fault: "waits for the engine to say that the lease is lost",
    plant: (e) => altered(e, { lease: leasing(e, trusting) }),
  },
  {
    rule: "ENG38",
    fault: "writes without the lease when that is gone",
    plant: (e) =>
      altered(e, {
        cas: async (key, expected, value, options) => {
          try {
            return await e.cas(key, expected, value, options);
          } catch {
            return e.cas(key, expected, value);
          }
        },
      }),
  },
  {
    rule: "ENG39",
    fault: "takes any time to live",
    plant: (e) => altered(e, { lease: (ttl) => e.lease(Math.min(Math.max(ttl || 500, 500), 3_600_000) as Millis) }),
  },
  {
    rule: "ENG50",
    fault: "counts tokens per client",
    plant: (e) => ownTokens(e),
  },
  { rule: "ENG51", fault: "has no generation", plant: (e) => withoutGeneration(e) },
  { rule: "ENG60", fault: "delivers twice", plant: (e) => altered(e, { publish: publishingTwice(e) }) },
  { rule: "ENG60", fault: "delivers out of order", plant: (e) => altered(e, { publish: publishingLate(e) }) },
  {
    rule: "ENG61",
    fault: "takes a subject for a path",
    plant: (e) => altered(e, { publish: (subject, message) => e.publish(subject.trim().toLowerCase(), message) }),
  },
  { rule: "ENG62", fault: "keeps messages for later", plant: (e) => retaining(e, new Map()) },
  {
    rule: "ENG63",
    fault: "loses empty messages",
    plant: (e) =>
      altered(e, {
        publish: async (subject, message) => (message.length > 0 ? e.publish(subject, message) : undefined),
      }),
  },
  {
    rule: "ENG64",
    fault: "ignores the signal",
    plant: (e) => altered(e, { subscribe: (subject) => e.subscribe(subject, NEVER) }),
  },
  {
    rule: "ENG64",
    fault: "rejects at the end",
    plant: (e) => altered(e, { subscribe: (subject, signal) => rejectingAtEnd(e.subscribe(subject, signal)) }),
  },
  {
    rule: "ENG70",
    fault: "appends whatever is expected",
    plant: (e) =>
      withLogs(e, {
        append: async (log, expected, value) => {
          const result = await e.logs.append(log, expected, value);
          return result.outcome === "conflict" ? e.logs.append(log, result.last, value) : result;
        },
      }),
  },
  {
    rule: "ENG71",
    fault: "appends a record twice under contention",
    plant: (e) =>
      withLogs(e, {
        append: async (log, expected, value) => {
          const result = await e.logs.append(log, expected, value);
          if (result.outcome === "conflict") await e.logs.append(log, result.last, value);
          return result;
        },
      }),
  },
  {
    rule: "ENG72",
    fault: "gives no more than the first records",
    plant: (e) => withLogs(e, { read: async (log, from) => (from > 200 ? [] : e.logs.read(log, from)) }),
  },
  {
    rule: "ENG73",
    fault: "cuts records that are too long",
    plant: (e) =>
      withLogs(e, {
        append: (log, expected, value) =>
          unlimited(
            () => e.logs.append(log, expected, value),
            () => e.logs.append(log, expected, shortened(value)),
          ),
      }),
  },
  { rule: "ENG80", fault: "cannot be closed twice", plant: (e) => closingOnce(e) },
  { rule: "ENG80", fault: "leaves watches open", plant: (e) => altered(e, { close: async () => undefined }) },
  { rule: "ENG81", fault: "reads nothing after closing", plant: (e) => afterClosing(e, "get") },
  { rule: "ENG81", fault: "swallows messages after closing", plant: (e) => afterClosing(e, "publish") },
  {
    rule: "ENG81",
    fault: "ends a watch after closing as if nothing were wrong",
    plant: (e) => afterClosing(e, "watch"),
  },
  {
    rule: "ENG82",
    fault: "claims logs that it has not",
    plant: (e) => {
      const { logs: _, ...without } = altered(e, {});
      return without;
    },
  },
  {
    rule: "ENG90",
    fault: "says that a write was not made which was",
    plant: makesWhatItRefused,
  },
  {
    rule: "ENG90",
    fault: "finds nothing while it cannot be reached",
    plant: (e) => altered(e, { get: (key) => e.get(key).catch(() => undefined) }),
  },
  {
    rule: "ENG340",
    fault: "lets a lease go that is renewed by its token",
    plant: (e) => altered(e, { replica: { ...e.replica, renew: async () => "renewed" } }),
  },
  {
    rule: "ENG341",
    fault: "says that it released, and did not",
    plant: (e) => altered(e, { replica: { ...e.replica, release: async () => {} } }),
  },
  {
    rule: "ENG342",
    fault: "does a write again that is repeated",
    plant: (e) => altered(e, { cas: (key, expected, value) => e.cas(key, expected, value) }),
  },
  {
    rule: "ENG343",
    fault: "says that it caught up, and does not show what others wrote",
    plant: (e) => altered(e, { watch: watchThrough(e, (event) => (event.type === "put" ? [] : [event])) }),
  },
];
