/** Limits on connections, with a clock that stands still until it is moved. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { SILENT_LOG } from "@sluice/base/log";
import { SILENT_METER } from "@sluice/base/meter";
import { ConnectionLimiter, type ConnectionLimits } from "@sluice/server/auth/connection-limiter";
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

function limiterOf(limits: Partial<ConnectionLimits>, admitAddress = (_: string) => true) {
  const clock = new FakeClock();
  const all = { connections: 0, connectionsPerAddress: 0, connectsPerSecondPerAddress: 0, exempt: [], ...limits };
  return {
    clock,
    limiter: new ConnectionLimiter({ limits: () => all, admitAddress, clock, meter: SILENT_METER, log: SILENT_LOG }),
  };
}

test("[GRD31] connections are bounded in all, and a release makes room", () => {
  const { limiter } = limiterOf({ connections: 2 });
  assert.deepEqual(
    ["1.0.0.1", "1.0.0.2", "1.0.0.3"].map((address) => limiter.admit(address)),
    ["ok", "ok", "too-many-connections"],
  );
  limiter.release("1.0.0.1");
  assert.equal(limiter.admit("1.0.0.3"), "ok");
  assert.equal(limiter.connectionCount, 2);
});

test("[GRD31] connections are bounded per address, an IPv6 /64 counting as one", () => {
  const { limiter } = limiterOf({ connectionsPerAddress: 1 });
  assert.deepEqual(
    ["10.0.0.1", "::ffff:10.0.0.1", "10.0.0.2"].map((a) => limiter.admit(a)),
    ["ok", "too-many-from-address", "ok"],
  );
  assert.deepEqual(
    ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"].map((a) => limiter.admit(a)),
    ["ok", "too-many-from-address", "ok"],
  );
  limiter.release("::ffff:10.0.0.1");
  assert.equal(limiter.admit("10.0.0.1"), "ok");
});

test("[GRD31] new connections are bounded per second and address", () => {
  const { limiter, clock } = limiterOf({ connectsPerSecondPerAddress: 2 });
  const connect = () => {
    const admission = limiter.admit("10.0.0.1");
    if (admission === "ok") limiter.release("10.0.0.1");
    return admission;
  };
  assert.deepEqual([connect(), connect(), connect(), connect(), connect()], ["ok", "ok", "ok", "ok", "too-fast"]);
  clock.advance(500);
  assert.deepEqual([connect(), connect()], ["ok", "too-fast"]);
  assert.equal(limiter.connectionCount, 0);
});

test("[GRD31] a refused address is not counted, nor is a release that has no connection", () => {
  const { limiter } = limiterOf({}, (address) => address !== "6.6.6.6");
  assert.equal(limiter.admit("6.6.6.6"), "address-denied");
  limiter.release("6.6.6.6");
  assert.equal(limiter.connectionCount, 0);
});

test("[GRD32] exempt networks are held to the limit of all connections only", () => {
  const { limiter } = limiterOf({
    connections: 3,
    connectionsPerAddress: 1,
    connectsPerSecondPerAddress: 1,
    exempt: ["127.0.0.0/8", "::1"],
  });
  const admissions = ["127.0.0.1", "127.0.0.1", "::1", "::1"].map((address) => limiter.admit(address));
  assert.deepEqual(admissions, ["ok", "ok", "ok", "too-many-connections"]);
});
