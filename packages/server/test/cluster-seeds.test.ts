/** Where seeds are: names with several addresses, that move, or that nobody knows. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Interfaces } from "@sluice/runtime/sockets/reach";
import { advertisedAddress, reachableAt } from "@sluice/server/cluster/advertised";
import { type Seed, SeedAddresses } from "@sluice/server/cluster/seed-addresses";
import { FakeClock, settle } from "@sluice/testkit/fake-clock";
import { LogRecorder } from "./sessions-fixture.ts";

const seed = (host: string, properties: Seed["properties"] = {}): Seed => ({ host, port: 7935, properties });

/** Names that resolve as a test says; a name without addresses cannot be looked up. */
function looking(seeds: readonly Seed[], names: Record<string, readonly string[]>) {
  const clock = new FakeClock();
  const log = new LogRecorder();
  const told: (readonly string[])[] = [];
  const asked: string[] = [];
  const addresses = new SeedAddresses({
    seeds,
    resolve: async (host) => {
      asked.push(host);
      const found = names[host];
      if (found === undefined) throw new Error(`getaddrinfo ENOTFOUND ${host}`);
      return found;
    },
    clock,
    random: () => 0.5,
    log: log.log,
    changed: (all) => void told.push(all),
  });
  const pass = async (millis: number): Promise<void> => {
    for (let left = millis; left > 0; left -= 250) {
      await settle();
      clock.advance(250);
    }
    await settle();
  };
  addresses.start();
  return { addresses, clock, log, told, asked, names, pass };
}

test("[NOD10] a name means all its addresses, and is followed when it moves", async () => {
  const { told, names, pass, addresses, clock } = looking([seed("media"), seed("10.0.0.9")], {
    media: ["10.0.0.2", "10.0.0.1", "2001:db8::1", "10.0.0.1"],
  });
  await settle();
  assert.deepEqual(told.at(-1), ["10.0.0.1:7935", "10.0.0.2:7935", "[2001:db8::1]:7935", "10.0.0.9:7935"]);
  const count = told.length;
  await pass(60_000);
  assert.equal(told.length, count, "the same is not told again");
  names["media"] = ["10.0.0.3"];
  await pass(30_000);
  assert.deepEqual(told.at(-1), ["10.0.0.3:7935", "10.0.0.9:7935"]);
  addresses[Symbol.dispose]();
  assert.equal(clock.pendingCount, 0);
});

test("[NOD10] a name that fails keeps what it had, is asked for ever at growing pauses, and is told once", async () => {
  const { told, names, pass, log, asked } = looking([seed("media")], { media: ["10.0.0.1"] });
  await pass(1_000);
  delete names["media"];
  await pass(120_000);
  assert.deepEqual(told, [["10.0.0.1:7935"]]);
  assert.deepEqual(log.of("Cannot look up seed"), [{ address: "media:7935", reason: "getaddrinfo ENOTFOUND media" }]);
  assert.ok(asked.length > 10 && asked.length < 40, `${asked.length} questions in two minutes`);
  names["media"] = ["10.0.0.1"];
  await pass(30_000);
  delete names["media"];
  await pass(30_000);
  assert.equal(log.of("Cannot look up seed").length, 2, "and again after it was well");
});

test("[NOD11] a seed is found by its present addresses and by how it is written", async () => {
  const { addresses } = looking([seed("media", { type: "master" }), seed("10.0.0.9", { zone: "b" })], {
    media: ["10.0.0.1"],
  });
  await settle();
  const typeAt = (address: string): unknown => addresses.findSeed(address)?.properties;
  assert.deepEqual(typeAt("10.0.0.1:7935"), { type: "master" });
  assert.deepEqual(typeAt("media:7935"), { type: "master" });
  assert.deepEqual(typeAt("10.0.0.9:7935"), { zone: "b" });
  assert.equal(typeAt("10.0.0.9:7936"), undefined);
});

const address = (text: string, internal = false) =>
  ({ address: text, internal }) as NonNullable<Interfaces[string]>[number];

test("[NOD3] where others can dial a node", () => {
  const one = { lo: [address("127.0.0.1", true)], eth0: [address("10.1.0.5"), address("fe80::1")] };
  const two = { ...one, wlan0: [address("10.2.0.5")] };
  const from = { configured: undefined, hasFarSeed: false, interfaces: one };
  assert.deepEqual(advertisedAddress({ ...from, bound: "10.1.0.5:7935" }), { address: "10.1.0.5:7935" });
  assert.deepEqual(advertisedAddress({ ...from, bound: "0.0.0.0:7935" }), { address: "10.1.0.5:7935" });
  assert.deepEqual(advertisedAddress({ ...from, bound: "[::]:7935" }), { address: "10.1.0.5:7935" });
  assert.deepEqual(advertisedAddress({ ...from, bound: "127.0.0.1:7935" }), { address: "127.0.0.1:7935" });
  const onlyDials = [
    { ...from, bound: undefined },
    { ...from, bound: "0.0.0.0:7935", interfaces: two },
    { ...from, bound: "127.0.0.1:7935", hasFarSeed: true },
  ].map((options) => "onlyDials" in advertisedAddress(options));
  assert.deepEqual(onlyDials, [true, true, true]);
  const configured = { ...from, bound: "0.0.0.0:7935", interfaces: two, configured: "media:7000" };
  assert.deepEqual(advertisedAddress(configured), { address: "media:7000" });
  assert.equal(reachableAt("0.0.0.0:1935", "10.1.0.5"), "10.1.0.5:1935");
  assert.equal(reachableAt("192.0.2.1:1935", "10.1.0.5"), "192.0.2.1:1935");
});
