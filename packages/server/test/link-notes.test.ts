/** What a node's log says of connections that it refuses. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Log, SILENT_LOG } from "@sluice/base/log";
import { SILENT_METER } from "@sluice/base/meter";
import { LinkRefusedError } from "@sluice/mesh/errors";
import { LinkNotes } from "@sluice/server/cluster/link-notes";
import { FakeClock } from "@sluice/testkit/fake-clock";

test("[NOD450] a refused node is logged once for each reason, and later with the number of refusals since", () => {
  const clock = new FakeClock();
  const lines: Readonly<Record<string, unknown>>[] = [];
  const log: Log = { ...SILENT_LOG, warn: (fields) => void lines.push(fields) };
  const notes = new LinkNotes({ self: "a", clock, log, meter: SILENT_METER, tell() {} });
  const refuse = (port: number, reason: "wrong-secret" | "version", host = "10.0.0.1"): void =>
    notes.failed(
      { side: "accept", address: `${host}:${port}`, to: "" },
      new LinkRefusedError({ peer: "", reason, by: "this side" }),
    );
  for (let port = 1; port <= 50; port++) refuse(port, "wrong-secret");
  assert.equal(lines.length, 1);
  refuse(51, "version");
  refuse(52, "wrong-secret", "10.0.0.2");
  assert.equal(lines.length, 3);
  clock.advance(3_600_000);
  refuse(53, "wrong-secret");
  assert.deepEqual([lines.length, lines[3]?.["alsoRefused"]], [4, 49]);
});
