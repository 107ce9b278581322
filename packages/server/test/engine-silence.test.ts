/** What a node says of an engine that falls silent. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Log } from "@sluice/base/log";
import { SILENT_LOG } from "@sluice/base/log";
import { Directory } from "@sluice/cluster/directory/directory";
import { MemoryEngine } from "@sluice/engine/memory-engine";
import { MemoryStore } from "@sluice/engine/memory/memory-store";
import { noteSilence } from "@sluice/server/node/cluster-engine";
import { FakeClock } from "@sluice/testkit/fake-clock";

test("[NOD472] an engine that falls silent is told of once, and once more when it answers again; an election is not", async () => {
  const clock = new FakeClock();
  const engine = new MemoryEngine(new MemoryStore({ clock, generation: 1 }));
  const services = { add: () => ({ [Symbol.dispose]() {} }) };
  const parts = { engine, services, clock, log: SILENT_LOG, random: () => 0.5 };
  await using directory = new Directory({ ...parts, self: { id: "a", incarnation: 1 } });
  const said: string[] = [];
  const log: Log = {
    ...SILENT_LOG,
    warn: (_fields, text) => void said.push(text),
    info: (_fields, text) => void said.push(text),
  };
  using _ = noteSilence(directory.view, { clock, log });
  await clock.advanceAsync(1_000);
  engine.cut();
  await clock.advanceAsync(1_000);
  engine.heal();
  await clock.advanceAsync(10_000);
  assert.deepEqual(said, []);
  engine.cut();
  await clock.advanceAsync(30_000);
  assert.equal(said.length, 1);
  engine.heal();
  await clock.advanceAsync(10_000);
  assert.match(said.join("\n"), /^The state engine does not answer.*\nThe state engine answers again$/);
});
