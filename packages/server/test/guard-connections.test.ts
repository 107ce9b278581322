/** Limits on connections, with a clock that stands still until it is moved. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { SILENT_LOG } from "@sluice/base/log";
import { SILENT_METER } from "@sluice/base/meter";
import { ConnectionGate, type GateLimits } from "@sluice/server/auth/connection-gate";
import { TokenBuckets } from "@sluice/server/auth/rate-limit";
import { FakeClock } from "@sluice/testkit/fake-clock";

const at = (millis: number): Millis => millis as Millis;

test("[GRD30] a bucket gives its burst at once, then its rate", () => {
  const buckets = new TokenBuckets({ perSecond: 10, burst: 3, mostBuckets: 10 });
  const taken = (millis: number) => buckets.take("a", at(millis));
  assert.deepEqual([taken(0), taken(0), taken(0), taken(0)], [true, true, true, false]);
  assert.equal(taken(99), false);
  assert.equal(taken(100), true);
  assert.equal(taken(100), false);
  assert.deepEqual([taken(10_000), taken(10_000), taken(10_000), taken(10_000)], [true, true, true, false]);
  assert.equal(buckets.take("b", at(10_000)), true);
});

test("[GRD30] the table of buckets forgets the one unused longest", () => {
  const buckets = new TokenBuckets({ perSecond: 1, burst: 1, mostBuckets: 2 });
  assert.ok(buckets.take("a", at(0)) && buckets.take("b", at(0)));
  assert.equal(buckets.take("a", at(0)), false);
  assert.ok(buckets.take("c", at(0)));
  assert.equal(buckets.size, 2);
  assert.equal(buckets.take("a", at(0)), false);
  assert.equal(buckets.take("b", at(0)), true);
  for (let i = 0; i < 1_000; i++) buckets.take(`x${i}`, at(0));
  assert.equal(buckets.size, 2);
});

function gate(limits: Partial<GateLimits>, admitAddress = (_: string) => true) {
  const clock = new FakeClock();
  const all = { connections: 0, connectionsPerAddress: 0, connectsPerSecondPerAddress: 0, exempt: [], ...limits };
  return {
    clock,
    gate: new ConnectionGate({ limits: () => all, admitAddress, clock, meter: SILENT_METER, log: SILENT_LOG }),
  };
}

test("[GRD31] connections are bounded in all, and a release makes room", () => {
  const { gate: door } = gate({ connections: 2 });
  assert.deepEqual(
    ["1.0.0.1", "1.0.0.2", "1.0.0.3"].map((address) => door.admit(address)),
    ["ok", "ok", "too-many-connections"],
  );
  door.release("1.0.0.1");
  assert.equal(door.admit("1.0.0.3"), "ok");
  assert.equal(door.connectionCount, 2);
});

test("[GRD31] connections are bounded per address, an IPv6 /64 counting as one", () => {
  const { gate: door } = gate({ connectionsPerAddress: 1 });
  assert.deepEqual(
    ["10.0.0.1", "::ffff:10.0.0.1", "10.0.0.2"].map((a) => door.admit(a)),
    ["ok", "too-many-from-address", "ok"],
  );
  assert.deepEqual(
    ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"].map((a) => door.admit(a)),
    ["ok", "too-many-from-address", "ok"],
  );
  door.release("::ffff:10.0.0.1");
  assert.equal(door.admit("10.0.0.1"), "ok");
});

test("[GRD31] new connections are bounded per second and address", () => {
  const { gate: door, clock } = gate({ connectsPerSecondPerAddress: 2 });
  const connect = () => {
    const admission = door.admit("10.0.0.1");
    if (admission === "ok") door.release("10.0.0.1");
    return admission;
  };
  assert.deepEqual([connect(), connect(), connect(), connect(), connect()], ["ok", "ok", "ok", "ok", "too-fast"]);
  clock.advance(500);
  assert.deepEqual([connect(), connect()], ["ok", "too-fast"]);
  assert.equal(door.connectionCount, 0);
});

test("[GRD31] a refused address is not counted, nor is a release that has no connection", () => {
  const { gate: door } = gate({}, (address) => address !== "6.6.6.6");
  assert.equal(door.admit("6.6.6.6"), "address-denied");
  door.release("6.6.6.6");
  assert.equal(door.connectionCount, 0);
});

test("[GRD32] exempt networks are held to the limit of all connections only", () => {
  const { gate: door } = gate({
    connections: 3,
    connectionsPerAddress: 1,
    connectsPerSecondPerAddress: 1,
    exempt: ["127.0.0.0/8", "::1"],
  });
  const admissions = ["127.0.0.1", "127.0.0.1", "::1", "::1"].map((address) => door.admit(address));
  assert.deepEqual(admissions, ["ok", "ok", "ok", "too-many-connections"]);
});
