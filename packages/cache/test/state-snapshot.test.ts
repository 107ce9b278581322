/** Snapshots: whole, as of their beginning, the same on every member; and the state against a simple model. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { WireError } from "@sluice/bytes/wire-error";
import type { Millis } from "@sluice/base/brand";
import { SnapshotBytesError, SnapshotEndedError } from "@sluice/cache/state/errors";
import { latin1, latin1Bytes } from "@sluice/cache/state/integer-text";
import type { CacheName, Operation } from "@sluice/cache/state/operation";
import { encodeOperation } from "@sluice/cache/state/operation-codec";
import { OperationEncoder } from "@sluice/cache/state/operation-encoder";
import { fuzz } from "@sluice/testkit/fuzz";
import { randomBelow, seededRandom } from "@sluice/testkit/random";
import { assertSameState, CACHE, increment, LogFeeder, piecesOf, remove, set } from "./support/log-feeder.ts";

const SMALL_PIECES = { snapshotPieceBytes: 256 };

function randomOperation(random: () => number, time: number): Operation {
  const key = `k${randomBelow(random, 40)}`;
  const cache = (random() < 0.8 ? "0" : "side") as CacheName;
  const expiry = random() < 0.3 ? ((time + randomBelow(random, 400) - 50) as Millis) : "never";
  const kind = randomBelow(random, 12);
  if (kind < 5) return set(key, "v".repeat(randomBelow(random, 90)), { cache, expiry });
  if (kind < 7) return { ...remove(key), cache } as Operation;
  if (kind === 7) return { ...increment(key), cache } as Operation;
  if (kind === 8) return { type: "configure", cache, limits: { entries: 10 + randomBelow(random, 30), bytes: 0 } };
  if (kind === 9) return { type: "lease-grant", ttl: 100 as Millis };
  if (kind === 10) return { type: "batch", conditions: [], operations: [set(key, "1", { cache }), increment(key)] };
  return random() < 0.1 ? { type: "flush", cache } : set(key, "12", { cache });
}

function feedRandom(log: LogFeeder, random: () => number, count: number): void {
  for (let i = 0; i < count; i++) {
    log.time += randomBelow(random, 20);
    const id =
      random() < 0.2 ? { client: `c${randomBelow(random, 3)}`, sequence: 1 + randomBelow(random, 100) } : undefined;
    log.feed(randomOperation(random, log.time), id);
    if (random() < 0.05) log.upkeep();
  }
}

test("[ENT1] the same log gives the same snapshot, whatever the seed of the hash", () => {
  for (const seed of [1, 2, 3]) {
    const logs = [new LogFeeder({}, 5), new LogFeeder({}, 6)];
    for (const log of logs) feedRandom(log, seededRandom(seed), 3_000);
    assertSameState((logs[0] as LogFeeder).state, (logs[1] as LogFeeder).state);
  }
});

test("[ENT9] a plain set has the bytes of any set, and does what it does in a batch", () => {
  const encoder = new OperationEncoder();
  const limits = { keyBytes: 64, valueBytes: 80 };
  for (const seed of [21, 22, 23]) {
    const random = seededRandom(seed);
    const [short, long] = [new LogFeeder(limits, 5), new LogFeeder(limits, 5)];
    const changes = [short, long].map((log) => log.state.openChanges({}));
    for (let i = 0; i < 3_000; i++) {
      short.time = long.time += randomBelow(random, 20);
      const operation = randomOperation(random, long.time);
      const isPlain = operation.type === "set" && operation.expiry === "never" && operation.cache === CACHE;
      if (!isPlain) {
        assert.deepEqual(short.feed(operation), long.feed(operation));
        continue;
      }
      const around = Buffer.concat([Buffer.from("before"), operation.value, Buffer.from("behind")]);
      encoder.places.point(operation.key, operation.value).pointValue(around, 6, operation.value.length);
      const bytes = encoder.encodePlainSet(operation.cache);
      assert.deepEqual(bytes && Buffer.from(bytes), Buffer.from(encodeOperation(operation)));
      const answer = long.feed({ type: "batch", conditions: [], operations: [operation] });
      assert.deepEqual(short.feedBytes(bytes as Uint8Array), answer.type === "batch" ? answer.answers[0] : answer);
    }
    assertSameState(short.state, long.state);
    const [mine, theirs] = changes.map((reader) => [...iterate(() => reader.take())]);
    assert.ok((mine?.length ?? 0) > 1_000);
    assert.deepEqual(mine, theirs);
  }
});

function* iterate<T>(next: () => T | undefined): Generator<T> {
  for (let item = next(); item !== undefined; item = next()) yield item;
}

test("[ENT2] a restored state goes on as the one it was taken from", () => {
  for (const seed of [11, 12, 13]) {
    const random = seededRandom(seed);
    const log = new LogFeeder(SMALL_PIECES);
    feedRandom(log, random, 100 + randomBelow(random, 1_000));
    const copy = new LogFeeder(SMALL_PIECES, 77);
    copy.state.restore(piecesOf(log.state));
    Object.assign(copy, { index: log.index, time: log.time, term: log.term });
    assertSameState(log.state, copy.state);
    for (const one of [log, copy]) feedRandom(one, seededRandom(seed + 100), 1_000);
    assertSameState(log.state, copy.state);
  }
});

test("[ENT3] a snapshot shows its beginning, whatever is written while it is taken", () => {
  const log = new LogFeeder(SMALL_PIECES);
  const random = seededRandom(21);
  feedRandom(log, random, 800);
  const expected = piecesOf(log.state);
  const pieces: Uint8Array[] = [];
  for (const piece of log.state.snapshot()) {
    pieces.push(piece.slice());
    feedRandom(log, random, 60);
  }
  assert.ok(pieces.length > 3);
  assert.deepEqual(pieces, expected);
});

test("[ENT4] a snapshot that is cut or changed anywhere is refused, and the state stays", () => {
  const log = new LogFeeder(SMALL_PIECES);
  feedRandom(log, seededRandom(31), 300);
  const bytes = Uint8Array.from(piecesOf(log.state).flatMap((piece) => [...piece]));
  const target = new LogFeeder(SMALL_PIECES);
  target.feed(set("mine", "1"));
  const random = seededRandom(32);
  for (let i = 0; i < 60; i++) {
    const cut = bytes.slice(0, randomBelow(random, bytes.length));
    assert.throws(() => target.state.restore([cut]), SnapshotBytesError);
    const changed = bytes.slice();
    const at = randomBelow(random, bytes.length);
    changed[at] = (changed[at] as number) ^ (1 << randomBelow(random, 8));
    assert.throws(() => target.state.restore([changed]), WireError);
  }
  assert.throws(() => target.state.restore([bytes, Uint8Array.of(0)]), SnapshotBytesError);
  assert.throws(() => target.state.restore([bytes, bytes]), SnapshotBytesError);
  assert.deepEqual(target.keys(), ["mine"]);
  target.state.restore([bytes.subarray(0, 5), bytes.subarray(5)]);
  assertSameState(target.state, log.state);
});

test("[ENT8] blocks of a snapshot are free again once it was read, given up, or overtaken", () => {
  const log = new LogFeeder({ ...SMALL_PIECES, openSnapshots: 2 });
  const fill = (mark: string) => {
    for (let i = 0; i < 300; i++) log.feed(set(`k${i}`, mark.repeat(3_000)));
  };
  fill("a");
  const alone = log.state.heldBytes;
  const given = log.state.snapshot();
  given.next();
  for (const mark of ["b", "c", "d", "e"]) fill(mark);
  assert.ok(log.state.heldBytes < 2.5 * alone, "one snapshot keeps at most what there was");
  given.return?.();
  fill("f");
  const first = log.state.snapshot();
  first.next();
  const later = [log.state.snapshot(), log.state.snapshot()];
  assert.throws(() => first.next(), SnapshotEndedError);
  for (const snapshot of later) assert.ok([...snapshot].length > 1);
  for (let i = 0; i < 300; i++) log.feed(remove(`k${i}`));
  assert.equal(log.state.heldBytes, 0);
});

test("the state is what a simple map says", () => {
  for (const seed of [41, 42, 43, 44]) {
    const random = seededRandom(seed);
    const log = new LogFeeder();
    const model = new Map<string, { value: string; expiresAt: number }>();
    for (let i = 0; i < 3_000; i++) {
      log.time += randomBelow(random, 10);
      for (const [key, { expiresAt }] of model) if (expiresAt < log.time) model.delete(key);
      const key = `k${randomBelow(random, 60)}`;
      const value = String(randomBelow(random, 1_000));
      const kind = randomBelow(random, 5);
      if (kind === 0) {
        assert.deepEqual(log.feed(remove(key)), { type: "count", count: model.delete(key) ? 1 : 0 });
      } else if (kind === 1) {
        const sum = Number(model.get(key)?.value ?? 0) + 3;
        log.feed(increment(key, 3n));
        model.set(key, { value: String(sum), expiresAt: model.get(key)?.expiresAt ?? Number.POSITIVE_INFINITY });
      } else {
        const expiresAt = kind === 2 ? log.time + randomBelow(random, 100) : Number.POSITIVE_INFINITY;
        log.feed(set(key, value, kind === 2 ? { expiry: expiresAt as Millis } : {}));
        model.set(key, { value, expiresAt });
      }
      if (random() < 0.02) log.upkeep();
    }
    const held = [...log.state.entries(CACHE, latin1Bytes(""), log.time as Millis)];
    const found = held.map(([key, { value }]) => `${latin1(key)}=${latin1(value)}`);
    const wanted = [...model].map(([key, { value }]) => `${key}=${value}`);
    assert.deepEqual(found.sort(), wanted.sort());
  }
});

const SEED_LOG = new LogFeeder(SMALL_PIECES);
feedRandom(SEED_LOG, seededRandom(51), 60);
const SEED_BYTES = Uint8Array.from(piecesOf(SEED_LOG.state).flatMap((piece) => [...piece]));

fuzz("cache snapshot", (bytes) => new LogFeeder().state.restore([bytes]), {
  seeds: [SEED_BYTES],
  allowed: [WireError],
  seconds: 0.5,
});
