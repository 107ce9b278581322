/** The member's disk: what is written comes back, what cannot be used says why, and nothing is lost quietly. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { SILENT_LOG } from "@sluice/base/log";
import type { LogIndex, MemberId, Term } from "@sluice/cache/ids";
import type { LogRecord } from "@sluice/cache/replica/log-record";
import { openLmdbStore } from "@sluice/gcache/store/lmdb-store";
import type { NodeStore } from "@sluice/gcache/store/node-store";
import { decodeBatch, encodeBatch } from "@sluice/gcache/store/store-batch";
import fc from "fast-check";

const NOTHING = { hardState: undefined, truncateFrom: undefined, append: [] };
const record = (index: number, text: string, term = 1): LogRecord => ({
  index: index as LogIndex,
  term: term as Term,
  time: (1_000 + index) as Millis,
  type: "operation",
  body: Buffer.from(text),
});

function folder(t: { after(fn: () => void): void }): string {
  const dir = mkdtempSync(join(tmpdir(), "cache-store-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const openIn = (dir: string, member = "n1"): Promise<NodeStore> =>
  openLmdbStore({ dir, member, clusterId: new Uint8Array(32).fill(7), log: SILENT_LOG });

const texts = (store: NodeStore): string[] =>
  store.stored.log.map(({ index, body }) => `${index}:${Buffer.from(body)}`);

test("a store gives back what was written to it, truncations and votes included", async (t) => {
  const dir = folder(t);
  const store = await openIn(dir);
  assert.deepEqual(store.stored, { hardState: undefined, snapshot: undefined, log: [], tail: "complete" });
  const hardState = { term: 3 as Term, votedFor: "n2" as MemberId };
  store.write({ ...NOTHING, hardState, append: [record(1, "a"), record(2, "b"), record(3, "c")] }, "written");
  await store.write({ ...NOTHING, truncateFrom: 2 as LogIndex, append: [record(2, "B", 3)] }, "synced");
  store.write({ ...NOTHING, append: [record(3, "C", 3)] }, "written");
  const { storeId } = store.identity;
  await store.close();

  const again = await openIn(dir);
  assert.deepEqual(texts(again), ["1:a", "2:B", "3:C"]);
  assert.deepEqual(again.stored.hardState, hardState);
  assert.equal(again.stored.log[1]?.term, 3);
  assert.equal(again.stored.log[1]?.time, 1_002);
  assert.deepEqual(Buffer.from(again.identity.storeId), Buffer.from(storeId));
  await again.close();
});

test("what was written and not synced outlives a kill: the journal has it", async (t) => {
  const dir = folder(t);
  const copy = folder(t);
  const store = await openIn(dir);
  await store.write({ ...NOTHING, append: [record(1, "synced")] }, "synced");
  store.write({ ...NOTHING, append: [record(2, "journal")] }, "written");
  // The files as a kill would leave them.
  for (const name of readdirSync(dir).filter((file) => file !== "lock")) {
    writeFileSync(join(copy, name), readFileSync(join(dir, name)));
  }
  const restarted = await openIn(copy);
  assert.deepEqual(texts(restarted), ["1:synced", "2:journal"]);
  assert.equal(restarted.stored.tail, "complete");
  await restarted.close();
  await store.close();
});

test("a journal that is torn says that records may be lost", async (t) => {
  const dir = folder(t);
  const store = await openIn(dir);
  await store.write({ ...NOTHING, append: [record(1, "a")] }, "synced");
  await store.close();
  const journal = readFileSync(join(dir, "journal-a"));
  journal.set(Buffer.from("0000004001", "hex"));
  writeFileSync(join(dir, "journal-a"), journal);
  const again = await openIn(dir);
  assert.deepEqual(texts(again), ["1:a"]);
  assert.equal(again.stored.tail, "may-have-lost");
  await again.close();
});

test("compaction drops what stands behind a snapshot; the snapshot comes back", async (t) => {
  const dir = folder(t);
  const store = await openIn(dir);
  for (let i = 1; i <= 8; i++) store.write({ ...NOTHING, append: [record(i, `v${i}`)] }, "written");
  const members = [{ id: "n1" as MemberId, role: "voter" as const, address: "127.0.0.1:1" }];
  const meta = { index: 8 as LogIndex, term: 1 as Term, time: 1_008 as Millis, members };
  const pieces = [Buffer.alloc(3_000_000, 1), Buffer.alloc(10, 2), Buffer.alloc(0)];
  await store.saveSnapshot(meta, pieces);
  for (let i = 9; i <= 10; i++) store.write({ ...NOTHING, append: [record(i, `v${i}`)] }, "written");
  store.compact(8 as LogIndex);
  await store.close();

  const again = await openIn(dir);
  assert.deepEqual(texts(again), ["9:v9", "10:v10"]);
  assert.deepEqual(again.stored.snapshot?.meta, meta);
  assert.deepEqual(
    [...(again.stored.snapshot?.pieces ?? [])].map((piece) => piece.length),
    [3_000_000, 10, 0],
  );
  again.write({ ...NOTHING, append: [record(11, "overtaken")] }, "written");
  const installed = again.installSnapshot({ ...meta, index: 50 as LogIndex }, [Buffer.from("new")]);
  const behind = [again.write({ ...NOTHING, append: [record(51, "x")] }, "written")];
  await new Promise((resolve) => setImmediate(resolve));
  behind.push(again.write({ ...NOTHING, append: [record(52, "y")] }, "written"));
  await installed;
  again.write({ ...NOTHING, append: [record(53, "z")] }, "written");
  for (const synced of behind) await synced;
  await again.close();

  const last = await openIn(dir);
  assert.deepEqual(texts(last), ["51:x", "52:y", "53:z"]);
  assert.equal(last.stored.snapshot?.meta.index, 50);
  assert.deepEqual(
    [...(last.stored.snapshot?.pieces ?? [])].map((piece) => Buffer.from(piece).toString()),
    ["new"],
  );
  await last.close();
});

test("a folder is opened once, and by its own member", async (t) => {
  const dir = folder(t);
  const store = await openIn(dir);
  await assert.rejects(openIn(dir), { code: "UNAVAILABLE_STORE_LOCKED" });
  await store.close();
  await assert.rejects(openIn(dir, "n2"), { code: "UNAVAILABLE_STORE_OWNER" });
  await (await openIn(dir)).close();
});

test("damaged and foreign files are refused and left alone", async (t) => {
  const damage: readonly [string, (file: string) => void][] = [
    ["foreign", (file) => writeFileSync(file, "This is no database at all, only some text.".repeat(1_000))],
    ["cut in half", (file) => truncateSync(file, Math.floor(readFileSync(file).length / 2))],
    ["cut to two pages", (file) => truncateSync(file, 8_192)],
    [
      "overwritten in the middle",
      (file) => {
        const bytes = readFileSync(file);
        bytes.fill(0xa5, 12_288, Math.min(bytes.length, 400_000));
        writeFileSync(file, bytes);
      },
    ],
  ];
  for (const [what, apply] of damage) {
    const dir = folder(t);
    const store = await openIn(dir);
    for (let i = 1; i <= 50; i++) await store.write({ ...NOTHING, append: [record(i, "x".repeat(9_000))] }, "synced");
    await store.close();
    const file = join(dir, "store.mdb");
    apply(file);
    const before = readFileSync(file);
    await assert.rejects(openIn(dir), { code: "UNAVAILABLE_STORE_CORRUPT" }, what);
    assert.deepEqual(readFileSync(file), before, what);
  }
});

test("a folder that cannot be made says so", async (t) => {
  const dir = folder(t);
  writeFileSync(join(dir, "file"), "");
  await assert.rejects(openIn(join(dir, "file", "below")), { code: "UNAVAILABLE_STORE_IO" });
  mkdirSync(join(dir, "ok"));
});

test("batches: decode after encode gives the same, damage gives a WireError", () => {
  const recordsOf = (bodies: Uint8Array[]): LogRecord[] => bodies.map((body, i) => ({ ...record(i + 5, ""), body }));
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 }),
      fc.nat(),
      fc.nat(),
      (bodies, sequence, at) => {
        const bytes = encodeBatch({ ...NOTHING, append: recordsOf(bodies) }, sequence);
        const decoded = decodeBatch(bytes);
        assert.equal(decoded.sequence, sequence);
        assert.deepEqual(
          decoded.append.map((r) => [...r.body]),
          bodies.map((body) => [...body]),
        );
        const bad = Buffer.from(bytes);
        bad[at % bad.length] = (bad[at % bad.length] as number) ^ 1;
        assert.throws(() => decodeBatch(bad), { code: /^WIRE_/ });
      },
    ),
    { numRuns: 200 },
  );
});
