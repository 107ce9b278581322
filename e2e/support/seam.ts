/** What a viewer sees of the change from one publication of a stream to the next. */
import assert from "node:assert/strict";
import { serialDistance } from "@sluice/base/serial-number";
import { assertTimeNeverBack, isCoded, isConfig, isKey, type Unit } from "./units.ts";
import { until } from "@sluice/testkit/until";

/** Time goes on over the seam from one publication to the next, which is where headers come again. */
export function assertGoesOn(received: readonly Unit[], passedMillis: number, who: string): void {
  assertTimeNeverBack(received, who);
  const seam = received.findIndex((unit, i) => isConfig(unit) && i > received.findIndex(isCoded));
  assert.ok(seam > 0, `${who}: headers come again`);
  const before = received.slice(0, seam).filter(isCoded);
  const after = received.slice(seam);
  const firstCoded = after.findIndex(isCoded);
  const headers = after.slice(0, firstCoded).filter(isConfig);
  assert.deepEqual(
    headers.map(({ kind }) => kind).sort(),
    ["audio", "video"],
    `${who}: new headers before the first frame`,
  );
  const firstVideo = after.find((unit) => unit.kind === "video" && isCoded(unit));
  assert.ok(firstVideo !== undefined && isKey(firstVideo), `${who}: pictures begin anew with a key frame`);
  const last = Math.max(...before.map(({ timestamp }) => timestamp));
  const gap = serialDistance(last, (after[firstCoded] as Unit).timestamp);
  assert.ok(
    gap > 0 && gap <= passedMillis + 500,
    `${who}: ${gap} ms on its clock for ${Math.round(passedMillis)} ms that passed`,
  );
}

/** Waits until the viewer got so many more units. */
export async function moreOf(received: () => readonly Unit[], more: number): Promise<void> {
  const wanted = received().length + more;
  await until(`${more} more units`, () => (received().length >= wanted ? true : undefined));
}
