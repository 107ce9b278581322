/** Shared objects of one node: which path is which object, who may open it, and where it is kept. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Scope } from "@sluice/base/scope";
import { findStreamKeyOfUrl, type StreamKey } from "@sluice/media/stream-key";
import type { Incarnation } from "@sluice/mesh/hello";
import { loadConfig } from "@sluice/server/config/load-config";
import { ObjectsPart } from "@sluice/server/node/objects-part";
import type { NodeObjects } from "@sluice/server/objects/node-objects";
import type { Durability } from "@sluice/state/change";
import { ObjectClient } from "@sluice/state/object-client";
import { toPlain } from "@sluice/state/plain-data";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { UNWATCHED } from "./objects-fixture.ts";
import { LogRecorder } from "./sessions-fixture.ts";

class World {
  readonly clock = new FakeClock();
  readonly recorder = new LogRecorder();
  readonly scope = new Scope();
  readonly part: ObjectsPart;

  constructor(...sets: readonly string[]) {
    const config = loadConfig({ sets: ["node.id=n", ...sets], env: {}, file: "none" });
    const { clock, recorder } = this;
    this.part = new ObjectsPart({ config, incarnation: 0 as Incarnation, clock, log: recorder.log, ...UNWATCHED });
  }

  get objects(): NodeObjects {
    return this.part.objects;
  }

  openInMemory(refusesDurable?: string): void {
    const { part, scope } = this;
    const kept = refusesDurable === undefined ? {} : { refusesDurable };
    part.openOwnOnUse(async () => ({ engine: part.openMemory(scope), ...kept }), scope);
  }

  open(paths: readonly string[], durability?: Durability): ReturnType<NodeObjects["connect"]> {
    return this.objects.connect(findStreamKeyOfUrl(...paths) as StreamKey, {
      client: this.objects.nextClientId(),
      who: toPlain({}, "who", 100),
      ...(durability && { durability }),
      ready: () => {},
    });
  }

  /** How it ends, once two seconds have gone by. */
  async outcome(paths: readonly string[], durability?: Durability): Promise<string> {
    const opened = this.open(paths, durability);
    if (!(opened instanceof ObjectClient)) return `${opened.status} ${opened.detail}`;
    await this.clock.advanceAsync(6_000);
    const outcome = await opened.connected;
    return outcome.type === "connected" ? "connected" : `${outcome.status} ${outcome.detail}`;
  }
}

test("[OBJ100] however a client splits its address, it is one object", async () => {
  const world = new World();
  world.openInMemory();
  const splits = [["live/room", "ball"], ["/live//room/", "ball?user=1"], ["live", "room/ball"], ["live/room/ball"]];
  for (const paths of splits) assert.equal(await world.outcome(paths), "connected");
  assert.deepEqual(
    world.objects.objects.map(({ path, users }) => [path, users.here.size]),
    [["live/room/ball", 4]],
  );
});

test("[OBJ101] paths of the server's own, and of applications without objects, are refused", async () => {
  const world = new World("applications.quiet.objects=off");
  world.openInMemory();
  for (const app of ["api", "console", "metrics", "healthz", "readyz", "quiet"])
    assert.equal(await world.outcome([app, "ball"]), "denied connect", app);
  assert.deepEqual(world.objects.objects, []);
  const off = new World("objects=off", "applications.live.objects=on");
  off.openInMemory();
  assert.deepEqual(
    [await off.outcome(["live/ball"]), await off.outcome(["other/ball"])],
    ["connected", "denied connect"],
  );
  const closed = new World(
    ...["auth.play=signed", "auth.signed.secret=0123456789abcdef0123", "applications.game.objects=on"],
    ...["applications.lobby.auth.play=open", "applications.lobby.auth.publish=open"],
  );
  closed.openInMemory();
  const told: string[] = [];
  for (const path of ["live/ball", "game/ball", "lobby/ball"]) told.push(await closed.outcome([path]));
  assert.deepEqual(told, ["denied connect", "connected", "connected"]);
});

test("[OBJ102] the engine of a node's own objects is asked for when the first is used, and objects wait for it", async () => {
  const world = new World();
  let asked = 0;
  const found = Promise.withResolvers<void>();
  world.part.openOwnOnUse(async () => {
    asked++;
    await found.promise;
    return { engine: world.part.openMemory(world.scope) };
  }, world.scope);
  assert.equal(asked, 0);
  const [ball, bat] = [world.open(["live/ball"]), world.open(["live/bat"])] as ObjectClient[];
  await world.clock.advanceAsync(1_000);
  found.resolve();
  await world.clock.advanceAsync(1_000);
  const outcomes = await Promise.all([ball?.connected, bat?.connected]);
  assert.deepEqual([asked, outcomes.map((one) => one?.type)], [1, ["connected", "connected"]]);
  assert.equal(await new World().outcome(["live/ball"]), "unavailable ");
});

test("[OBJ103] durable objects are refused where nothing is kept, and the log says why", async () => {
  const world = new World();
  world.openInMemory("there is no state engine (engine.kind: off)");
  const asked = [await world.outcome(["live/ball"], { type: "each" }), await world.outcome(["live/ball"])];
  assert.deepEqual(asked, ["denied create", "connected"]);
  assert.deepEqual(world.recorder.of("Persistent shared objects are refused"), [
    { path: "live/ball", reason: "there is no state engine (engine.kind: off)" },
  ]);
});

test("[OBJ104] objects of a local application are each node's own", async () => {
  const world = new World("cluster.port=0", "applications.mine.cluster=local", "data.dir=/nowhere");
  world.openInMemory();
  assert.deepEqual(
    [await world.outcome(["mine/ball"]), await world.outcome(["ours/ball"])],
    ["connected", "unavailable "],
  );
});

test("[OBJ105] no client has the name of another, and none has it again after a restart", () => {
  const life = (wall: number): NodeObjects => {
    const config = loadConfig({ sets: ["node.id=n"], env: {}, file: "none" });
    const clock = new FakeClock(wall);
    return new ObjectsPart({ config, incarnation: 0 as Incarnation, clock, log: new LogRecorder().log, ...UNWATCHED })
      .objects;
  };
  const [first, second] = [life(1_000_000), life(1_001_000)];
  const names = [first, second].flatMap((one) => [one.nextClientId(), one.nextClientId()]);
  assert.equal(new Set(names).size, 4, names.join());
});
