/** Captures survive being written and read, can be trimmed, and play at their own pace. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Capture,
  CaptureFormatError,
  bytesFrom,
  decodeCapture,
  encodeCapture,
  trimCapture,
} from "@sluice/testkit/capture";
import { FakeClock, settle } from "@sluice/testkit/fake-clock";
import { hex, toHex } from "@sluice/testkit/hex";
import { replay } from "@sluice/testkit/replay";

const CAPTURE: Capture = {
  header: { capture: 1, protocol: "rtmp", startedAt: "2026-01-01T00:00:00.000Z", origin: "by hand" },
  entries: [
    { at: 0, from: "peer", bytes: hex("03 ff") },
    { at: 5, from: "us", bytes: hex("03") },
    { at: 40, from: "peer", bytes: hex("01 02 03") },
    { at: 90, from: "peer", end: "closed" },
  ],
};

test("what was written is what is read", () => {
  assert.deepEqual(decodeCapture(encodeCapture(CAPTURE)), CAPTURE);
  assert.equal(toHex(bytesFrom(CAPTURE, "peer")), "03 ff 01 02 03");
});

test("a line that is neither bytes nor an end is named", () => {
  const text = `${encodeCapture(CAPTURE)}{"at":91,"from":"nobody"}\n`;
  assert.throws(
    () => decodeCapture(text),
    (error: Error) => error instanceof CaptureFormatError && /line 6/.test(error.message),
  );
  assert.throws(() => decodeCapture('{"capture":2}'), /line 1 is not a header/);
  assert.throws(() => decodeCapture("FLV"), /line 1 is not a JSON object/);
});

test("trimming keeps one side, cuts the piece that crosses, and drops the end of a side that was cut", () => {
  const trimmed = trimCapture(CAPTURE, { only: "peer", maxBytes: 3, origin: "trimmed" });
  assert.equal(trimmed.header.origin, "trimmed");
  assert.deepEqual(trimmed.entries, [
    { at: 0, from: "peer", bytes: hex("03 ff") },
    { at: 40, from: "peer", bytes: hex("01") },
  ]);
  assert.equal(trimCapture(CAPTURE, { untilMillis: 5 }).entries.length, 2);
});

test("replay without a clock sends at once, with one at the captured times", async () => {
  const sent: string[] = [];
  const count = await replay(CAPTURE, (bytes) => void sent.push(toHex(bytes)), { side: "peer" });
  assert.equal(count, 5);
  assert.deepEqual(sent, ["03 ff", "01 02 03"]);

  const clock = new FakeClock();
  const times: number[] = [];
  const played = replay(CAPTURE, () => void times.push(clock.now()), { side: "peer", clock });
  await clock.advanceAsync(39);
  assert.deepEqual(times, [0]);
  await clock.advanceAsync(1);
  await settle();
  assert.equal(await played, 5);
  assert.deepEqual(times, [0, 40]);
});
