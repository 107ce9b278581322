/** Objects on the real directory of a cluster: its claims, leases and views fill the port as they are. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Millis } from "@sluice/base/brand";
import { SILENT_LOG } from "@sluice/base/log";
import { Directory } from "@sluice/cluster/directory/directory";
import { MemoryEngine } from "@sluice/engine/memory-engine";
import { MemoryStore } from "@sluice/engine/memory/memory-store";
import { ObjectHost } from "@sluice/state/object-host";
import type { Ownership } from "@sluice/state/ports";
import { setWish } from "@sluice/state/wishes";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { SimClock } from "@sluice/testkit/sim-clock";
import { SimNetwork } from "@sluice/testkit/sim-network";
import { TestClient } from "./sim-clients.ts";

const NAMES = ["n0", "n1"];

function ownershipOf(directory: Directory, self: string): Ownership {
  return {
    self,
    mayBeHome: true,
    findHome: (path) => {
      const home = directory.findHome("object", path);
      return home?.isConfirmed === true ? { node: home.home, epoch: home.epoch } : undefined;
    },
    place: (_path, except) =>
      NAMES.find((name) => !except.includes(name) && directory.view.findNode(name) !== undefined),
    claim: (path, wish) => directory.claimObject(path, wish),
    confirmedAt: () => {
      const lease = directory.homesLease;
      return lease && ((lease.validUntil - lease.ttl) as Millis);
    },
    onChange: (listener) =>
      directory.view.onChange((change) => {
        if (change.type === "home" && change.kind === "object") listener(change.key);
      }),
  };
}

test("[OBJ92] take-over and planned move with the directory of a cluster", async () => {
  const clock = new FakeClock();
  const store = new MemoryStore({ clock, generation: 1 });
  const network = new SimNetwork<Uint8Array>({ clock, seed: 1 });
  const start = (name: string, incarnation: number) => {
    const engine = new MemoryEngine(store);
    const services = { add: () => ({ [Symbol.dispose]() {} }) };
    const shared = { engine, clock, log: SILENT_LOG, random: () => 0.5 };
    const directory = new Directory({ ...shared, services, self: { id: name, incarnation } });
    const links = new Set<string>();
    const port = {
      get nodes() {
        return [...links];
      },
      send: (to: string, message: Uint8Array) => network.send(name, to, message),
    };
    const host = new ObjectHost({
      ...shared,
      engine: () => engine,
      ownership: ownershipOf(directory, name),
      links: port,
    });
    const simClock = new SimClock(clock);
    network.add(
      name,
      {
        receive: (event) => {
          if (event.type === "opened") links.add(event.peer);
          else if (event.type === "closed") links.delete(event.peer);
          if (event.type === "opened") host.linkUp(event.peer);
          else if (event.type === "closed") host.linkDown(event.peer);
          else host.receive(event.from, event.message);
        },
      },
      simClock,
    );
    return { name, host, engine, clock: simClock };
  };
  const [n0, n1] = NAMES.map(start);
  if (n0 === undefined || n1 === undefined) return;
  await clock.advanceAsync(500);
  const a = new TestClient(n0 as never, "room/ball", { client: "a" });
  await clock.advanceAsync(700);
  const b = new TestClient(n1 as never, "room/ball", { client: "b" });
  await clock.advanceAsync(200);
  b.write(setWish("x", 1));
  await clock.advanceAsync(50);
  const roles = () => [n0, n1].map(({ host }) => host.find("room/ball")?.role);
  assert.deepEqual([roles(), a.values, b.outcomes[0]?.type], [["home", "attached"], { x: 1 }, "success"]);
  const moved = n0.host.find("room/ball")?.moveTo("n1");
  await clock.advanceAsync(200);
  assert.deepEqual([await moved, roles()], [{ type: "moved" }, ["attached", "home"]]);
  n1.engine.cut();
  n1.clock.stop();
  network.remove("n1");
  a.write(setWish("x", 2));
  await clock.advanceAsync(4_500);
  assert.deepEqual([n0.host.find("room/ball")?.role, a.values, a.outcomes[0]?.type], ["home", { x: 2 }, "success"]);
  assert.equal(a.story, "snapshot 1, 2, 3");
});
