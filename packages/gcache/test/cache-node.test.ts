/** Cache nodes in one process: what they are given, what they tell, how their clock behaves. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:net";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { SILENT_LOG } from "@sluice/base/log";
import { SILENT_METER } from "@sluice/base/meter";
import type { MemberId } from "@sluice/cache/ids";
import type { CacheName, Operation } from "@sluice/cache/state/operation";
import { formatAddress, isLoopback, parseAddress } from "@sluice/runtime/sockets/host-and-port";
import type { CacheNode } from "@sluice/gcache/node/cache-node";
import type { CacheNodeOptions } from "@sluice/gcache/node/node-options";
import { openCacheNode } from "@sluice/gcache/node/open-cache-node";
import { MonotonicWallClock } from "@sluice/gcache/node/monotonic-wall-clock";
import { SystemClock } from "@sluice/runtime/system-clock";
import { NODE_CRYPTO } from "@sluice/runtime/node-crypto";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { until } from "@sluice/testkit/until";

const CACHE = "0" as CacheName;
const FAST = { electionMin: 100 as Millis, electionMax: 200 as Millis, heartbeat: 30 as Millis, lease: 80 as Millis };

const set = (key: string, value: string, expiry: Millis | "never" = "never"): Operation => ({
  type: "set",
  cache: CACHE,
  key: Buffer.from(key),
  value: Buffer.from(value),
  expiry,
  when: "always",
  answerWith: "version",
});

const solo = (more: Partial<CacheNodeOptions> = {}): Promise<CacheNode> =>
  openCacheNode({
    id: "n1",
    address: { host: "127.0.0.1", port: 0 },
    founders: new Map([["n1", "127.0.0.1:0"]]),
    resp: { host: "127.0.0.1", port: 0 },
    clock: new SystemClock(),
    log: SILENT_LOG,
    meter: SILENT_METER,
    crypto: NODE_CRYPTO,
    timing: FAST,
    ...more,
  });

/** One inline command over a plain socket, and what comes back within a moment. */
function ask(node: CacheNode, line: string): Promise<string> {
  const { host, port } = parseAddress(node.listeners.resp as string) as { host: string; port: number };
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port }, () => socket.write(`${line}\r\nQUIT\r\n`));
    let text = "";
    socket.on("data", (bytes) => (text += bytes));
    socket.on("close", () => resolve(text));
    socket.on("error", reject);
  });
}

test("[RSP109] INFO tells of the process, of its clients, and of what would outlive a loss of power", async () => {
  const dir = mkdtempSync(join(tmpdir(), "sluice-info-"));
  try {
    await using node = await solo({ dir });
    await until("leadership", () => node.status().role === "leader");
    const info = async (): Promise<Map<string, string>> => {
      const text = await ask(node, "INFO");
      return new Map(Array.from(text.matchAll(/^(\w+):(.*)\r$/gm), ([, key, value]) => [key ?? "", value ?? ""]));
    };
    await ask(node, "SET a 1 EX 1000\r\nGET a\r\nGET none");
    const first = await info();
    for (const name of [
      "used_memory",
      "used_memory_rss",
      "process_id",
      "total_system_memory",
      "used_cpu_user",
      "maxclients",
    ])
      assert.ok(Number(first.get(name)) > 0, `${name}: ${first.get(name)}`);
    const number = (facts: Map<string, string>, name: string): number => Number(facts.get(name));
    assert.ok(number(first, "uptime_in_seconds") >= 0);
    assert.equal(first.get("tcp_port"), node.listeners.resp?.split(":").at(-1));
    assert.deepEqual(
      ["keyspace_hits", "keyspace_misses", "total_connections_received", "rejected_connections"].map((name) =>
        number(first, name),
      ),
      [1, 1, 2, 0],
    );
    const second = await info();
    assert.ok(number(second, "total_commands_processed") > number(first, "total_commands_processed"));
    assert.ok(number(second, "total_net_input_bytes") > 0);
    assert.ok(number(second, "total_net_output_bytes") > number(first, "total_net_output_bytes") + 1_000);
    await until("the log to be synced", async () => {
      const facts = await info();
      return number(facts, "sluice_log_synced_index") === number(facts, "sluice_log_last_index");
    });
    await ask(node, "SET a 2");
    const last = number(await info(), "sluice_log_last_index");
    await until("the log to be synced again", async () => number(await info(), "sluice_log_synced_index") >= last);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

test("a node alone leads, answers over RESP and in process, and lets what is due expire", async (t) => {
  await using node = await solo();
  await until("leadership", () => node.status().role === "leader");
  assert.equal((await node.write(set("a", "1"))).type, "answer");
  assert.equal(await node.barrier(), "reached");
  assert.match(await ask(node, "GET a"), /^\$1\r\n1\r\n/);
  assert.match(await ask(node, "ROLE"), /master/);
  assert.match(await ask(node, "SLUICE STATUS"), /"role":"leader"/);
  assert.match(await ask(node, "SLUICE REMOVE n1"), /^-ERR Cannot remove member "n1"/);
  assert.match(await ask(node, "SLUICE DANCE"), /^-ERR unknown subcommand/);
  await node.write(set("soon", "1", (node.wall() + 60) as Millis));
  const size = (): number => [...node.state.entries(CACHE, Buffer.from(""), 0 as Millis)].length;
  assert.equal(size(), 2);
  await until("expiry", () => size() === 1);
  assert.ok(node.state.generation > 0);
  t.diagnostic(JSON.stringify(node.listeners));
});

test("what a node was told outlives it, and a request is done once however often it is tried", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "cache-node-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const node = await solo({ dir });
  await until("leadership", () => node.status().role === "leader");
  const increment: Operation = { type: "increment", cache: CACHE, key: Buffer.from("n"), by: 5n };
  const id = { client: "someone", sequence: 1 };
  await node.write(increment, id);
  await node.close();
  const again = await solo({ dir });
  await until("leadership", () => again.status().role === "leader");
  await again.write(increment, id);
  assert.match(await ask(again, "GET n"), /\r\n5\r\n/);
  await again.close();
  await again.close();
});

test("what does not fit together is refused before anything is opened, all of it at once", async () => {
  const refused = (more: Partial<CacheNodeOptions>, message: RegExp): Promise<void> =>
    assert.rejects(solo(more), { code: "STATE_CACHE_SETUP", message });
  await refused({ id: "a b" }, /"a b" is not a member id.*lacks "a b" itself/);
  await refused({ founders: new Map([["n1", "nowhere"]]) }, /"nowhere" of member "n1" is not host:port/);
  await refused(
    {
      founders: new Map([
        ["n1", "127.0.0.1:1"],
        ["n2", "127.0.0.1:1"],
      ]),
    },
    /same address/,
  );
  await refused({ address: { host: "192.0.2.1", port: 7401 } }, /need a secret/);
  await refused({ address: "none", founders: "join" }, /without an address it can have no other members/);
});

test("a node without an address opens no port for members, warns of none, and cannot grow", async () => {
  const warnings: string[] = [];
  const log = { ...SILENT_LOG, warn: (_fields: unknown, message: string) => void warnings.push(message) };
  await using node = await solo({
    address: "none",
    log: { ...log, child: () => ({ ...log, child: () => SILENT_LOG }) },
  });
  await until("leadership", () => node.status().role === "leader");
  assert.deepEqual(Object.keys(node.listeners), ["resp"]);
  assert.equal((await node.write(set("a", "1"))).type, "answer");
  assert.deepEqual(warnings, ["No folder: all data is lost when this process ends"]);
  assert.match(
    await ask(node, "SLUICE ADD n2 127.0.0.1:7402"),
    /^-ERR Cannot add member "n2": this node opens no port/,
  );
});

const FAR = ["10.0.0.2:7402", "members.example:7402", "0.0.0.0:7402", "127.evil:7402", "127.999.1.1:7402"] as const;

test("[REP150] without a secret no member beyond this machine is taken, at start or while running", async () => {
  await using node = await solo();
  await until("leadership", () => node.status().role === "leader");
  for (const far of FAR) {
    const { host, port } = parseAddress(far) as { host: string; port: number };
    await assert.rejects(solo({ address: { host, port } }), { code: "STATE_CACHE_SETUP", message: /need a secret/ });
    const founders = new Map([
      ["n1", "127.0.0.1:7401"],
      ["n2", far],
    ] as const);
    await assert.rejects(solo({ founders }), { code: "STATE_CACHE_SETUP", message: /need a secret/ });
    assert.match(await ask(node, `SLUICE ADD n2 ${far}`), /^-ERR Cannot add member "n2": members on other machines/);
    await assert.rejects(node.changeMembers({ type: "add", id: "n2" as MemberId, address: far }), {
      code: "UNAVAILABLE_CACHE_CHANGE",
    });
  }
  assert.equal(node.status().members.length, 1);
  for (const [place, near] of ["127.0.0.1:1", "localhost:1", "[::1]:1"].entries()) {
    assert.match(await ask(node, `SLUICE ADD near${place} ${near}`), /^\+OK|^\$2\r\nOK/);
    await until("its commit", () => node.status().members.length === 2);
    await node.changeMembers({ type: "remove", id: `near${place}` as MemberId });
  }
});

test("[REP150] a store that knows a member beyond this machine does not open without the secret", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "cache-node-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const secret = Buffer.from("a secret of some length");
  const node = await solo({ dir, secret });
  await until("leadership", () => node.status().role === "leader");
  await node.changeMembers({ type: "add", id: "n2" as MemberId, address: "192.0.2.1:7402" });
  await node.close();
  await assert.rejects(solo({ dir }), {
    code: "STATE_CACHE_SETUP",
    message: /its store knows member "n2" at 192\.0\.2\.1:7402: members on other machines need a secret/,
  });
  const again = await solo({ dir, secret });
  assert.equal(again.status().members.length, 2);
  await again.close();
});

test("addresses are read and written alike", () => {
  for (const text of ["127.0.0.1:7401", "localhost:1", "[::1]:65535", "node-1.example:80"]) {
    assert.equal(formatAddress(parseAddress(text) as { host: string; port: number }), text);
  }
  for (const text of ["", "host", "host:", ":1", "host:65536", "::1:80", "[x]:1", "a b:1"]) {
    assert.equal(parseAddress(text), undefined, text);
  }
  assert.ok(isLoopback("127.9.9.9") && isLoopback("::1") && !isLoopback("10.0.0.1") && !isLoopback("0.0.0.0"));
});

test("the steady wall follows its clock, makes jumps good slowly and never goes back", () => {
  const clock = new FakeClock();
  let jump = 0;
  const wall = new MonotonicWallClock({
    now: () => clock.now(),
    wall: () => (clock.now() + jump) as Millis,
    after: (...args) => clock.after(...args),
    afterPoll: (...args) => clock.afterPoll(...args),
    sleep: (...args) => clock.sleep(...args),
  });
  const start = wall.read();
  clock.advance(1_000 as Millis);
  assert.equal(wall.read() - start, 1_000);
  jump = 3_600_000;
  clock.advance(1_000 as Millis);
  assert.equal(wall.read() - start, 2_100);
  jump = -3_600_000;
  clock.advance(1_000 as Millis);
  assert.equal(wall.read() - start, 3_000);
  wall.follow((start + 10_000) as Millis);
  clock.advance(1_000 as Millis);
  assert.equal(wall.read() - start, 10_900);
  wall.follow(start);
  assert.equal(wall.read() - start, 10_900);
});
