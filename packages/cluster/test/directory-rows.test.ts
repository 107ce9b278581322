/** Rows of the directory: their form, what a later version may add, and what a version that cannot read one does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ProvisionalClaims } from "@sluice/cluster/directory/provisional-claims";
import { DIRECTORY_LIMITS } from "@sluice/cluster/directory/limits";
import {
  decodeHomeRow,
  decodeNodeRow,
  encodeHomeRow,
  encodeNodeRow,
  keyOfHome,
  keyOfNode,
  parseRowKey,
} from "@sluice/cluster/directory/rows";
import { fuzz } from "@sluice/testkit/fuzz";
import { DirectoryWorld } from "./directory-world.ts";

const EPOCH = { generation: 1, number: 9 };
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const STREAM = { home: "a", incarnation: 3, publication: "00000000000000ff", publisherAt: "b" };
const OBJECT = { home: "a", incarnation: 3, publication: "", publisherAt: "" };

test("[CLU43] rows of version 1 are JSON text under these keys", () => {
  assert.equal(keyOfNode("n/1"), "cluster/node/n/1");
  assert.equal(keyOfHome("stream", "live/cam"), "cluster/stream/live/cam");
  assert.equal(keyOfHome("object", "app/room/1"), "cluster/object/app/room/1");
  assert.equal(text(encodeNodeRow({ id: "n", incarnation: 3 })), '{"v":1,"incarnation":3}');
  assert.equal(
    text(encodeHomeRow(STREAM)),
    '{"v":1,"home":"a","incarnation":3,"publication":"00000000000000ff","publisherAt":"b"}',
  );
  assert.equal(text(encodeHomeRow(OBJECT)), '{"v":1,"home":"a","incarnation":3}');
  assert.deepEqual(parseRowKey("cluster/stream/live/cam"), { kind: "stream", key: "live/cam" });
  assert.equal(parseRowKey("cluster/later/x"), undefined);
});

test("[CLU43] fields of a later version are passed over; a row without what every version writes is not read", () => {
  const later = Buffer.from('{"v":2,"home":"a","incarnation":3,"region":["x"]}');
  assert.deepEqual(decodeHomeRow("object", "o", { value: later, revision: EPOCH }), {
    ...OBJECT,
    kind: "object",
    key: "o",
    epoch: EPOCH,
  });
  for (const bad of [
    "",
    "null",
    "[]",
    "{}",
    '{"home":"","incarnation":1}',
    '{"home":"a","incarnation":-1}',
    `{"home":"${"x".repeat(2000)}","incarnation":1}`,
  ]) {
    assert.equal(decodeHomeRow("object", "o", { value: Buffer.from(bad), revision: EPOCH }), undefined, bad);
  }
  assert.equal(decodeNodeRow("n", Buffer.from("{}")), undefined);
});

fuzz(
  "[CLU43] rows",
  (bytes) => decodeHomeRow("stream", "k", { value: bytes, revision: EPOCH }) ?? decodeNodeRow("k", bytes),
  {
    seeds: [encodeHomeRow(STREAM), encodeHomeRow(OBJECT), encodeNodeRow({ id: "n", incarnation: 1 })],
    allowed: [],
  },
);

test("[CLU44] a row that this version cannot read is counted, shown to nobody, and stands in the way of claims", async () => {
  const world = new DirectoryWorld(1);
  const a = await world.join("a");
  const unreadable = await world.during(a.engine.cas(keyOfHome("object", "o"), "absent", Buffer.from("?")));
  assert.ok(unreadable.outcome === "written");
  await world.until("it is counted", () => a.directory.view.unreadableCount === 1);
  assert.equal(a.directory.findHome("object", "o"), undefined);
  const [waits, yields] = [
    a.directory.claimObject("o", { ifTaken: "yield" }),
    a.directory.claimObject("o", { ifTaken: "wait" }),
  ];
  await world.advance(5_000);
  assert.equal(waits.state.at, "released", "the second took its place");
  assert.equal(yields.state.at === "claiming" && yields.state.why, "taken");
  await world.during(a.engine.remove(keyOfHome("object", "o"), unreadable.revision));
  await world.until("a home", () => yields.mayAcknowledge);
});

test("[CLU45] claims that a peer tells are bounded, counted beyond, and forgotten once its link has been gone for a lease", async () => {
  const world = new DirectoryWorld(1);
  const changed: string[] = [];
  const options = {
    clock: world.clock,
    remember: 3_000 as never,
    changed: (_kind: string, key: string) => changed.push(key),
  };
  const [teller, hearer] = [new ProvisionalClaims(options), new ProvisionalClaims(options)];
  const [x, y] = [world.startNode("x"), world.startNode("y")];
  x.services.add(teller);
  await world.advance(1_000);
  y.services.add(hearer); // later than its peer, which was refused
  await world.advance(1_000);
  for (let index = 0; index <= DIRECTORY_LIMITS.heardClaims; index++) {
    teller.tell({ kind: "stream", key: `k${index}`, fields: STREAM });
  }
  await world.advance(1_000);
  assert.deepEqual(hearer.find("stream", "k0"), STREAM);
  assert.equal(hearer.passedOverCount, 1);
  teller.withdraw("stream", "k0");
  await world.advance(100);
  assert.equal(hearer.find("stream", "k0"), undefined);
  world.kill("x");
  await world.advance(2_500);
  assert.deepEqual(hearer.find("stream", "k1"), STREAM);
  await world.advance(1_000);
  assert.equal(hearer.find("stream", "k1"), undefined);
  assert.ok(changed.includes("k1"));
  hearer[Symbol.dispose]();
});
