/** A store that ran alone, on real disks and sockets: it grows to three members without moving its data. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { SILENT_LOG } from "@sluice/base/log";
import { SILENT_METER } from "@sluice/base/meter";
import type { CacheNode } from "@sluice/gcache/node/cache-node";
import type { CacheNodeOptions } from "@sluice/gcache/node/node-options";
import { openCacheNode } from "@sluice/gcache/node/open-cache-node";
import { NodeLinks } from "@sluice/gcache/members/member-links";
import type { Incarnation } from "@sluice/mesh/hello";
import { DEFAULT_LINK_LIMITS, DEFAULT_LINK_TIMINGS } from "@sluice/mesh/limits";
import { LinkServices } from "@sluice/mesh/link-services";
import { Mesh } from "@sluice/mesh/mesh";
import { LinkListener, SocketDialler } from "@sluice/runtime/links/link-ports";
import { NODE_CRYPTO } from "@sluice/runtime/node-crypto";
import { splitAddress } from "@sluice/runtime/sockets/host-and-port";
import { SystemClock } from "@sluice/runtime/system-clock";
import { until } from "@sluice/testkit/until";
import { DEFAULT_MEMBER_LIMITS } from "@sluice/gcache/node/limits";
import { CACHE, set } from "./node-world.ts";

const PORTS = { clock: new SystemClock(), log: SILENT_LOG, meter: SILENT_METER, crypto: NODE_CRYPTO };

interface LinkedNode {
  readonly id: string;
  readonly address: string;
  readonly mesh: Mesh;
  readonly cache: CacheNode;
}

/** A node with links of its own on a free port, and a member on them. */
async function linkedNode(
  t: TestContext,
  id: string,
  { seeds, ...options }: Pick<CacheNodeOptions, "founders" | "dir"> & { readonly seeds: readonly LinkedNode[] },
): Promise<LinkedNode> {
  const services = new LinkServices({ failed: () => {} });
  const mesh: Mesh = new Mesh({
    own: () => ({ id, incarnation: 1 as Incarnation, purpose: "node", facts: links.facts }),
    secrets: () => [],
    judge: () => undefined,
    crypto: NODE_CRYPTO,
    dialler: new SocketDialler(undefined),
    clock: PORTS.clock,
    defer: (action) => process.nextTick(action),
    random: Math.random,
    limits: DEFAULT_LINK_LIMITS,
    timings: DEFAULT_LINK_TIMINGS,
    listener: services,
  });
  const strangers = { ...DEFAULT_MEMBER_LIMITS, exempt: [] };
  const listener = new LinkListener({ ...PORTS, name: "cluster", mesh, tls: undefined, strangers, refused: () => {} });
  const address = await listener.open({ host: "127.0.0.1", port: 0 });
  const links = new NodeLinks({ mesh, services, heartbeat: 1_000 as Millis });
  mesh.reach(new Map(seeds.map((seed) => [seed.id, { address: seed.address, to: seed.id }])));
  const eligible = () => [...mesh.links.keys()].map((peer) => ({ id: peer, roles: ["origin"] }));
  const growth = { voters: "auto", eligible } as const;
  const cache = await openCacheNode({ ...PORTS, ...options, id, address: splitAddress(address), links, growth });
  t.after(async () => {
    await cache.close();
    mesh.close("stopping");
    await listener.close();
  });
  return { id, address, mesh, cache };
}

test("[REP348] a store of a node without a cluster grows to three voters, with its data where it was", async (t) => {
  const root = mkdtempSync(join(tmpdir(), "cache-growth-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const dir = join(root, "a");
  const founders = new Map([["a", "127.0.0.1:0"]]);
  const alone = await openCacheNode({ ...PORTS, id: "a", address: "none", founders, dir });
  await until("it to lead", () => alone.status().role === "leader");
  for (let i = 0; i < 100; i++) assert.equal((await alone.write(set(`key ${i}`, `value ${i}`))).type, "answer");
  await alone.close();

  const a = await linkedNode(t, "a", { founders: "self", dir, seeds: [] });
  const b = await linkedNode(t, "b", { founders: "join", dir: join(root, "b"), seeds: [a] });
  const c = await linkedNode(t, "c", { founders: "join", dir: join(root, "c"), seeds: [a, b] });
  const voters = (node: LinkedNode) => node.cache.status().members.filter(({ role }) => role === "voter");
  await until("three voters", () => [a, b, c].every((node) => voters(node).length === 3));
  assert.deepEqual(
    voters(c)
      .map(({ address }) => address)
      .sort(),
    [a, b, c].map(({ address }) => address).sort(),
  );
  assert.equal(await c.cache.barrier(), "reached");
  for (let i = 0; i < 100; i++) {
    const found = c.cache.state.find(CACHE, Buffer.from(`key ${i}`), c.cache.wall());
    assert.equal(found && Buffer.from(found.value).toString(), `value ${i}`);
  }
});
