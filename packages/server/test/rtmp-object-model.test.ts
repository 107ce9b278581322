/** Random writers and readers of one object over RTMP, some of which read late: whatever crosses, all end with the same. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { AmfValue } from "@sluice/amf/value";
import type { StreamKey } from "@sluice/media/stream-key";
import type { SharedObjectEvent } from "@sluice/rtmp/shared-object-message";
import { decodeSharedObject } from "@sluice/rtmp/shared-object-message";
import { DEFAULT_RTMP_LIMITS } from "@sluice/rtmp/limits";
import type { NodeObjects } from "@sluice/server/objects/node-objects";
import { type Echo, ObjectForms } from "@sluice/server/rtmp/rtmp-object-events";
import { RtmpSharedObject } from "@sluice/server/rtmp/rtmp-shared-object";
import { ObjectClient } from "@sluice/state/object-client";
import { toPlain } from "@sluice/state/plain-data";
import { FakeClock } from "@sluice/testkit/fake-clock";
import { randomBelow, seededRandom } from "@sluice/testkit/random";
import { ownObjects } from "./objects-fixture.ts";

const PATH = "live/ball" as StreamKey;
const NAMES = ["x", "y", "z"];

/** A player: its own sets are there at once where it hears names alone, else when it hears of them. */
class Player {
  readonly copy = new Map<string, AmfValue>();
  readonly #echo: Echo;
  readonly #object: RtmpSharedObject;
  /** On the way to the server. */
  readonly #asked: SharedObjectEvent[] = [];
  /** On the way to the player. */
  readonly #told: SharedObjectEvent[] = [];

  constructor(options: {
    objects: NodeObjects;
    clock: FakeClock;
    forms: ObjectForms;
    client: ObjectClient;
    echo: Echo;
  }) {
    const { objects, ...rest } = options;
    this.#echo = options.echo;
    const form = { name: "ball", encoding: "amf0", isPersistent: false } as const;
    const state = () => objects.find(PATH)?.copy.state;
    this.#object = new RtmpSharedObject({ ...rest, form, state, wake: () => {} });
  }

  write(event: SharedObjectEvent): void {
    this.#asked.push(event);
    if (this.#echo === "success") this.#apply(event);
  }

  /** What it asked reaches the server. */
  reach(): void {
    for (const event of this.#asked.splice(0)) this.#object.write(event);
  }

  /** The server writes what there is to tell. */
  tell(): void {
    for (let one = this.#object.next(); one !== undefined; one = this.#object.next())
      this.#told.push(
        ...("events" in one ? one : decodeSharedObject(one.body, one.encoding, DEFAULT_RTMP_LIMITS)).events,
      );
  }

  /** What was written reaches the player. */
  hear(): void {
    for (const event of this.#told.splice(0)) this.#apply(event);
  }

  #apply(event: SharedObjectEvent): void {
    switch (event.type) {
      case "clear":
      case "request-clear":
        return this.copy.clear();
      case "remove":
      case "request-remove":
        for (const name of event.names) this.copy.delete(name);
        return;
      case "change":
      case "change-echo":
      case "request-change":
        for (const [name, value] of event.properties) this.copy.set(name, value);
        return;
      default:
    }
  }
}

for (let seed = 1; seed <= 40; seed++)
  test(`[SOB448] seed ${seed}`, async () => {
    const random = seededRandom(seed);
    const below = (count: number): number => randomBelow(random, count);
    const clock = new FakeClock();
    const objects = ownObjects(clock);
    const forms = new ObjectForms();
    const players: Player[] = [];
    for (const echo of ["success", "change-echo", "success", "change-echo"] as const) {
      const who = toPlain({}, "who", 100);
      const client = objects.connect(PATH, { client: objects.nextClientId(), who, ready: () => {} });
      assert.ok(client instanceof ObjectClient);
      players.push(new Player({ objects, clock, forms, client, echo }));
    }
    await clock.advanceAsync(500);
    for (const player of players) player.tell();
    for (let step = 0; step < 400; step++) {
      const player = players[below(players.length)] as Player;
      const name = NAMES[below(NAMES.length)] as string;
      const acts: readonly (() => void | Promise<void>)[] = [
        () => player.write({ type: "request-change", properties: [[name, step]] }),
        () => player.write({ type: "request-change", properties: NAMES.map((one) => [one, step]) }),
        () => player.write({ type: "request-remove", names: [name] }),
        () => (below(10) === 0 ? player.write({ type: "request-clear" }) : undefined),
        () => player.reach(),
        () => player.reach(),
        () => player.tell(),
        () => player.hear(),
        () => clock.advanceAsync(below(40)),
      ];
      await acts[below(acts.length)]?.();
    }
    for (let round = 0; round < 3; round++) {
      for (const player of players) {
        player.reach();
        await clock.advanceAsync(10);
        player.tell();
        player.hear();
      }
    }
    const state = objects.find(PATH)?.copy.state;
    const stands = Object.fromEntries([...(state?.properties ?? [])].map(([name, { plain }]) => [name, plain.value]));
    for (const { copy } of players) assert.deepEqual(Object.fromEntries(copy), { ...stands });
    objects.find(PATH)?.[Symbol.dispose]();
  });
