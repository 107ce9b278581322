// What the console asks the server, and when: spaced, paused, later after failures; on a clock that the test moves.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Observable } from "../src/base/observable.ts";
import type { Connection } from "../src/live/live-feed.ts";
import { Refresher } from "../src/live/refresher.ts";
import { SessionList } from "../src/live/session-list.ts";
import { StreamRows } from "../src/live/stream-rows.ts";
import { sessionRow, streamRow } from "./fake-rows.ts";

const OPEN: Connection = { at: "open" };
const LOST: Connection = { at: "lost", reason: "gone", retryAt: undefined };

/** Lets promises run that are due, timers standing still. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

function asker(t: TestContext, spacing = 1_000) {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const connection = new Observable<Connection>(OPEN);
  const seen = { asked: 0, isFailing: false, answer: undefined as (() => void) | undefined };
  const refresher = new Refresher({
    connection,
    spacing,
    async ask() {
      seen.asked++;
      if (seen.isFailing) throw new Error("no answer");
    },
  });
  const pass = async (millis: number): Promise<void> => {
    for (let passed = 0; passed < millis; passed += 100) {
      t.mock.timers.tick(100);
      await settle();
    }
  };
  return { refresher, connection, seen, pass };
}

test("[CON210] three hundred events in a second are one question now and one later", async (t) => {
  const { refresher, seen, pass } = asker(t);
  for (let i = 0; i < 150; i++) refresher.want();
  await settle();
  assert.equal(seen.asked, 1);
  for (let i = 0; i < 150; i++) refresher.want();
  await pass(900);
  assert.equal(seen.asked, 1);
  await pass(200);
  assert.equal(seen.asked, 2);
  await pass(60_000);
  assert.equal(seen.asked, 2, "nothing changed any more");
});

test("[CON210] a slow answer is waited for, and what came meanwhile asked behind it", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const answers: (() => void)[] = [];
  const refresher = new Refresher({
    connection: new Observable<Connection>(OPEN),
    spacing: 1_000,
    ask: () => new Promise<void>((resolve) => answers.push(resolve)),
  });
  for (let i = 0; i < 10; i++) refresher.want();
  t.mock.timers.tick(60_000);
  refresher.want();
  assert.equal(answers.length, 1);
  answers[0]?.();
  await settle();
  t.mock.timers.tick(1_000);
  assert.equal(answers.length, 2);
});

test("[CON211] nothing is asked while the server is away, and once when it is back", async (t) => {
  const { refresher, connection, seen, pass } = asker(t);
  for (const away of [LOST, { at: "refused" } as const]) {
    connection.set(away);
    const before = seen.asked;
    for (let i = 0; i < 300; i++) {
      refresher.want();
      await pass(100);
    }
    assert.equal(seen.asked, before);
    connection.set(OPEN);
    await pass(5_000);
    assert.equal(seen.asked, before + 1);
  }
});

test("[CON212] questions that fail come later and later, and at once from a server that is back", async (t) => {
  const { refresher, connection, seen, pass } = asker(t);
  seen.isFailing = true;
  for (let second = 0; second < 120; second++) {
    refresher.want();
    await pass(1_000);
  }
  assert.ok(seen.asked >= 6 && seen.asked <= 9, `asked ${seen.asked} times in two minutes`);
  const before = seen.asked;
  connection.set(LOST);
  await pass(300_000);
  assert.equal(seen.asked, before);
  seen.isFailing = false;
  connection.set(OPEN);
  await settle();
  assert.equal(seen.asked, before + 1);
});

test("[CON213] sessions are asked for as the page wants them, and not without one", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const asked: string[] = [];
  const api = {
    async sessions(key: string) {
      asked.push(key);
      return { sessions: [sessionRow("s-1", { key })], total: 2_345 };
    },
    endSession: async () => {},
  };
  const list = new SessionList(api, new Observable<Connection>(OPEN));
  const pass = async (millis: number): Promise<void> => {
    for (let passed = 0; passed < millis; passed += 500) {
      t.mock.timers.tick(500);
      await settle();
    }
  };
  list.noteChange();
  await pass(10_000);
  assert.deepEqual(asked, []);
  const leave = list.watch("live/cam");
  await settle();
  const state = list.state.get();
  assert.ok(state.at === "ready" && state.rows[0]?.key === "live/cam" && state.total === 2_345);
  await list.end("s-1");
  const after = list.state.get();
  assert.ok(after.at === "ready" && after.rows.length === 0 && after.total === 2_344);
  const leaveAll = list.watch();
  leave();
  assert.equal(list.state.get().at, "loading", "rows of one stream are not shown as those of all");
  await pass(2_000);
  leaveAll();
  await pass(10_000);
  assert.deepEqual([asked[0], asked.at(-1)], ["live/cam", ""]);
  assert.ok(asked.length <= 4, asked.join());
});

test("[CON214] rows in pieces: kept until a whole round came without them", () => {
  const rows = new StreamRows();
  const take = (keys: readonly string[], part: Parameters<StreamRows["take"]>[1]): string[] =>
    rows
      .take(
        keys.map((key) => streamRow(key)),
        part,
      )
      .map(({ key }) => key);
  assert.deepEqual(take(["a", "b"], "whole"), ["a", "b"]);
  assert.deepEqual(take(["c"], "middle"), ["a", "b", "c"], "a round whose beginning was missed");
  assert.deepEqual(take(["d"], "end"), ["a", "b", "c", "d"], "tells nothing of who is gone");
  assert.deepEqual(take(["a"], "begin"), ["a", "b", "c", "d"]);
  assert.deepEqual(take(["c"], "middle"), ["a", "b", "c", "d"]);
  assert.deepEqual(take(["e"], "end"), ["a", "c", "e"]);
  assert.deepEqual(take(["x"], "whole"), ["x"]);
});
