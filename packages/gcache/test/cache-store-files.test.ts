/** The files of a member's store: which of them may be missing, empty, damaged or another's, and who may read them. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { type Log, SILENT_LOG } from "@sluice/base/log";
import type { LogIndex, Term } from "@sluice/cache/ids";
import type { LogRecord } from "@sluice/cache/replica/log-record";
import { JOURNAL_NAMES } from "@sluice/gcache/store/journal";
import { openLmdbStore } from "@sluice/gcache/store/lmdb-store";
import { setStoreAside } from "@sluice/gcache/store/set-aside";
import { StoreLockedError } from "@sluice/gcache/store/store-errors";
import type { NodeStore } from "@sluice/gcache/store/node-store";
import { factBytes, openTables, put, readFact, readTables } from "@sluice/gcache/store/store-tables";
import { makePrivateFolder } from "@sluice/runtime/private-files";
import { open } from "lmdb";

const [JOURNAL_A, JOURNAL_B] = JOURNAL_NAMES;
const DATABASE = "store.mdb";

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "cache-files-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const openIn = (dir: string, { member = "n1", log = SILENT_LOG }: { member?: string; log?: Log } = {}) =>
  openLmdbStore({ dir, member, clusterId: new Uint8Array(32).fill(7), log });

const recordOf = (index: number): LogRecord => ({
  index: index as LogIndex,
  term: 1 as Term,
  time: (1_000 + index) as Millis,
  type: "operation",
  body: Buffer.from(`v${index}`),
});

const write = (store: NodeStore, ...indexes: readonly number[]): void => {
  for (const index of indexes)
    store.write({ hardState: undefined, truncateFrom: undefined, append: [recordOf(index)] }, "written");
};

const indexes = (store: NodeStore): number[] => store.stored.log.map(({ index }) => index);

/** What a kill leaves of a store with one record in its database and two in its journal. */
async function killedStore(t: TestContext, member = "n1"): Promise<string> {
  const [dir, copy] = [folder(t), folder(t)];
  const first = await openIn(dir, { member });
  write(first, 1);
  await first.close();
  const store = await openIn(dir, { member });
  write(store, 2, 3);
  for (const name of readdirSync(dir).filter((file) => file !== "lock"))
    copyFileSync(join(dir, name), join(copy, name));
  await store.close();
  return copy;
}

function warnings(): { readonly log: Log; readonly told: string[] } {
  const told: string[] = [];
  const log: Log = {
    ...SILENT_LOG,
    warn: (fields, message) => void told.push(`${message}: ${String(fields["reason"] ?? fields["open"])}`),
    child: () => log,
  };
  return { log, told };
}

const LOST: readonly (readonly [string, (dir: string) => void, RegExp])[] = [
  ["the first journal missing", (dir) => rmSync(join(dir, JOURNAL_A)), /journal-a is missing/],
  ["the second missing", (dir) => rmSync(join(dir, JOURNAL_B)), /journal-b is missing/],
  ["both missing", (dir) => JOURNAL_NAMES.forEach((name) => rmSync(join(dir, name))), /journal-a is missing/],
  ["an empty journal", (dir) => truncateSync(join(dir, JOURNAL_A)), /journal-a is damaged or cut off/],
  ["zeros", (dir) => writeFileSync(join(dir, JOURNAL_A), Buffer.alloc(100_000)), /journal-a is damaged/],
  ["another file", (dir) => writeFileSync(join(dir, JOURNAL_A), "Some text.".repeat(99)), /journal-a is damaged/],
  ["a journal cut in its last batch", (dir) => truncateSync(join(dir, JOURNAL_A), 100), /journal-a is damaged/],
  ["a journal cut in its head", (dir) => truncateSync(join(dir, JOURNAL_A), 9), /journal-a is damaged/],
];

for (const [what, lose, reason] of LOST) {
  test(`[REP142] ${what} beside a store means that confirmed records may be lost, and is told`, async (t) => {
    const dir = await killedStore(t);
    lose(dir);
    const { log, told } = warnings();
    const store = await openIn(dir, { log });
    assert.equal(store.stored.tail, "may-have-lost");
    assert.equal(indexes(store)[0], 1, "what is in the database is there");
    assert.equal(told.length, 1);
    assert.match(told[0] ?? "", /Records that this member confirmed may be lost here: /);
    assert.match(told[0] ?? "", reason);
    await store.close();
  });
}

test("[REP142] with both journals whole nothing is doubted and nothing told", async (t) => {
  const { log, told } = warnings();
  const store = await openIn(await killedStore(t), { log });
  assert.deepEqual([indexes(store), store.stored.tail, told], [[1, 2, 3], "complete", []]);
  await store.close();
});

test("[REP143] the doubt outlives restarts and orderly ends, until the member has caught up", async (t) => {
  const dir = await killedStore(t);
  rmSync(join(dir, JOURNAL_A));
  for (let start = 0; start < 3; start++) {
    const store = await openIn(dir);
    assert.equal(store.stored.tail, "may-have-lost", `start ${start}`);
    write(store, 2 + start);
    await store.close();
  }
  const store = await openIn(dir);
  store.settled();
  await store.close();
  const settled = await openIn(dir);
  assert.equal(settled.stored.tail, "complete");
  await settled.close();
});

const REFUSED: readonly (readonly [string, (dir: string, other: string) => void | Promise<void>, RegExp])[] = [
  [
    "a journal of another store",
    (dir, other) => copyFileSync(join(other, JOURNAL_A), join(dir, JOURNAL_A)),
    /journal-a belongs to another store/,
  ],
  [
    "a database of another store with the same member id",
    (dir, other) => copyFileSync(join(other, DATABASE), join(dir, DATABASE)),
    /belongs to another store/,
  ],
  [
    "a database of another program",
    async (dir) => {
      rmSync(join(dir, DATABASE));
      await otherDatabase(dir, ["facts", "accounts"]);
    },
    /another program's database, with "accounts"/,
  ],
  ["a journal without its database", (dir) => rmSync(join(dir, DATABASE)), /journal-a is there without its database/],
  [
    "a journal beside an empty file",
    (dir) => truncateSync(join(dir, DATABASE)),
    /journal-a is there without its database/,
  ],
];

for (const [what, apply, message] of REFUSED) {
  test(`[REP144] ${what} is refused, and the files are left as they are`, async (t) => {
    const [dir, other] = [await killedStore(t), await killedStore(t)];
    await apply(dir, other);
    const before = JOURNAL_NAMES.map((name) => readFileSync(join(dir, name)));
    await assert.rejects(openIn(dir), { code: "UNAVAILABLE_STORE_CORRUPT", message });
    assert.deepEqual(
      JOURNAL_NAMES.map((name) => readFileSync(join(dir, name))),
      before,
    );
  });
}

/** A database that was not made by `openTables`. */
async function otherDatabase(dir: string, tables: readonly string[]): Promise<void> {
  const root = open({ path: join(dir, DATABASE), noSubdir: true });
  for (const name of tables) root.openDB({ name });
  await root.close();
}

/** What a kill can leave of a store that is being made: files that hold nothing yet. */
const BEGUN: readonly (readonly [string, (dir: string) => void | Promise<void>])[] = [
  ["an empty database file", (dir) => writeFileSync(join(dir, DATABASE), "")],
  ["a database without tables", (dir) => otherDatabase(dir, [])],
  ["a database with some of its tables", (dir) => otherDatabase(dir, ["facts"])],
  ["a database without rows", (dir) => openTables(join(dir, DATABASE)).root.close()],
  [
    "that, and one journal without its head",
    async (dir) => {
      await openTables(join(dir, DATABASE)).root.close();
      writeFileSync(join(dir, JOURNAL_A), Buffer.alloc(4_000_000));
    },
  ],
  [
    "that, and both journals of an id that never counted",
    async (dir) => {
      const made = await openIn(join(dir, "made"));
      await made.close();
      await openTables(join(dir, DATABASE)).root.close();
      for (const name of JOURNAL_NAMES) copyFileSync(join(dir, "made", name), join(dir, name));
    },
  ],
];

for (const [what, leave] of BEGUN) {
  test(`[REP145] ${what}, as a kill leaves it, opens as a new store`, async (t) => {
    const dir = folder(t);
    await leave(dir);
    const store = await openIn(dir);
    assert.deepEqual([indexes(store), store.stored.tail], [[], "complete"]);
    write(store, 1);
    await store.close();
    const again = await openIn(dir);
    assert.deepEqual([indexes(again), again.stored.tail], [[1], "complete"]);
    await again.close();
  });
}

test("[REP145] a store that is there has its journal, at whatever step its making is stopped", async (t) => {
  const dir = folder(t);
  mkdirSync(join(dir, JOURNAL_B)); // so that the second journal cannot be made
  await assert.rejects(openIn(dir), { code: "UNAVAILABLE_STORE_IO" });
  const tables = await readTables(join(dir, DATABASE));
  assert.ok(tables !== undefined);
  assert.equal(readFact(tables, "identity"), undefined);
  await tables.root.close();
});

test("[REP146] a store of the format before, whose journals have no head, opens with all that it holds", async (t) => {
  const dir = await killedStore(t);
  for (const name of JOURNAL_NAMES) writeFileSync(join(dir, name), readFileSync(join(dir, name)).subarray(24));
  const tables = openTables(join(dir, DATABASE));
  const identity = readFact(tables, "identity");
  assert.ok(identity !== undefined);
  await tables.root.batch(() => put(tables.facts, "identity", factBytes({ ...identity, format: 1 })));
  await tables.root.close();
  for (let start = 0; start < 2; start++) {
    const store = await openIn(dir);
    assert.deepEqual([indexes(store), store.stored.tail], [[1, 2, 3], "complete"]);
    await store.close();
  }
});

const rights = (path: string): string => (statSync(path).mode & 0o777).toString(8);

test("[REP147] a store's folder and files are for its user alone; those that were open to others are closed", async (t) => {
  const dir = join(folder(t), "made", "here");
  await (await openIn(dir)).close();
  const names = readdirSync(dir);
  assert.ok(names.length >= 5, names.join());
  assert.deepEqual([join(dir, ".."), dir].map(rights), ["700", "700"]);
  for (const name of names) assert.equal(rights(join(dir, name)), "600", name);
  for (const name of names) chmodSync(join(dir, name), 0o644);
  chmodSync(dir, 0o755);
  const { log, told } = warnings();
  await (await openIn(dir, { log })).close();
  assert.deepEqual([rights(dir), ...names.map((name) => rights(join(dir, name)))], ["700", ...names.map(() => "600")]);
  assert.deepEqual(told, []);
});

test("[REP147] a folder that holds other files too keeps its rights, and that is told", async (t) => {
  const dir = folder(t);
  writeFileSync(join(dir, "notes"), "", { mode: 0o644 });
  chmodSync(dir, 0o755);
  const { log, told } = warnings();
  await (await openIn(dir, { log })).close();
  assert.deepEqual([rights(dir), rights(join(dir, "notes")), rights(join(dir, DATABASE))], ["755", "644", "600"]);
  assert.deepEqual(told, [`Others on this machine may read the store: ${dir}: it holds other files too`]);
});

test("[REP148] a folder that cannot be made, or written to, is told at once with the reason", async (t) => {
  const dir = folder(t);
  writeFileSync(join(dir, "file"), "");
  symlinkSync(join(dir, "nowhere"), join(dir, "dangling"));
  const cases: readonly (readonly [string, RegExp])[] = [
    [join(dir, "file"), /it is not a folder/],
    [join(dir, "file", "below"), /it is not a folder/],
    [join(dir, "dangling", "below"), /no such file or directory/],
    ["/proc/nothing-can-be-made-here", /no such file or directory/],
    ["/proc/nothing/can/be/made/here", /no such file or directory/],
    [join(dir, "x".repeat(300)), /name too long/],
  ];
  for (const [path, message] of cases)
    await assert.rejects(openIn(path), { code: "UNAVAILABLE_STORE_IO", message }, path);
});

test("[REP148] a folder that another user keeps is told at once", async (t) => {
  if (process.getuid?.() !== 0) return t.skip("only root can become somebody who may not");
  const dir = folder(t);
  chmodSync(dir, 0o755);
  process.seteuid?.(65_534);
  try {
    for (const path of [dir, join(dir, "below")])
      await assert.rejects(openIn(path), { code: "UNAVAILABLE_STORE_IO", message: /this user may not write there/ });
  } finally {
    process.seteuid?.(0);
  }
});

test("[REP148] a folder is made with all that is missing above it, and one that is there is left as it is", (t) => {
  const dir = folder(t);
  makePrivateFolder(join(dir, "a", "b", "..", "c"));
  chmodSync(join(dir, "a"), 0o755);
  makePrivateFolder(join(dir, "a"));
  assert.deepEqual([rights(join(dir, "a")), rights(join(dir, "a", "c"))], ["755", "700"]);
});

/** A store whose check never ends: its journal is a pipe that nobody writes to. */
async function endlessStore(t: TestContext): Promise<string> {
  const dir = await killedStore(t);
  rmSync(join(dir, JOURNAL_A));
  execFileSync("mkfifo", [join(dir, JOURNAL_A)]);
  return dir;
}

async function childOfThis(): Promise<number> {
  for (;;) {
    const children = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim();
    if (children !== "") return Number(children.split(" ")[0]);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

for (const signal of ["SIGTERM", "SIGINT", "SIGKILL"] as const) {
  test(`[REP149] a check of the store that ${signal} ends from outside is no sign of damage`, async (t) => {
    const opening = openIn(await endlessStore(t));
    opening.catch(() => {});
    process.kill(await childOfThis(), signal);
    await assert.rejects(opening, { code: "UNAVAILABLE_STORE_IO", message: new RegExp(`was ended by ${signal}`) });
  });
}

test("[REP149] opening can be given up while the store is checked", async (t) => {
  const dir = await endlessStore(t);
  const stop = new AbortController();
  const opening = openLmdbStore({
    dir,
    member: "n1",
    clusterId: new Uint8Array(32),
    log: SILENT_LOG,
    signal: stop.signal,
  });
  opening.catch(() => {});
  await childOfThis();
  const reason = new Error("stop");
  stop.abort(reason);
  await assert.rejects(opening, (error) => error === reason);
});

test("[REP353] a store is set aside as a whole, kept under another name, and never while it is open", async (t) => {
  const dir = join(folder(t), "cache");
  const wall = Date.UTC(2026, 4, 1, 12, 30, 5) as Millis;
  assert.equal(setStoreAside(dir, wall), undefined, "nothing is there");
  const store = await openIn(dir);
  write(store, 1, 2);
  assert.throws(() => setStoreAside(dir, wall), StoreLockedError);
  await store.close();
  const aside = setStoreAside(dir, wall);
  assert.equal(aside, `${dir}.aside-20260501T123005Z`);
  const fresh = await openIn(dir);
  assert.deepEqual(indexes(fresh), []);
  await fresh.close();
  const kept = await openIn(aside as string);
  assert.deepEqual(indexes(kept), [1, 2]);
  await kept.close();
});
