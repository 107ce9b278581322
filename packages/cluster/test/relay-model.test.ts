/** Publishers and viewers come and go on any node while links are cut and nodes die and pause: every viewer ends with the right stream. */
import assert from "node:assert/strict";
import type { StreamHome } from "@sluice/cluster/relay/sources";
import type { StreamKey } from "@sluice/media/stream-key";
import { randomBelow } from "@sluice/testkit/random";
import { everySeed } from "@sluice/testkit/seeds";
import { type Encoder, GRACE, type RelayNode, RelayWorld, Viewer } from "./relay-world.ts";

const FILE = "packages/cluster/test/relay-model.test.ts";
const NAMES = ["a", "b", "c", "d", "e"];
const KEYS = ["live/one", "live/two"];
/** Lease of a home, after which its row is gone. */
const LEASE = 3_000;
/** `e` takes from `d`, and `d` from `e`: a mistake that must not matter. `b` takes from `c`. */
const FROM = new Map([
  ["b", ["c"]],
  ["d", ["e"]],
  ["e", ["d"]],
]);

class Model {
  readonly world: RelayWorld;
  readonly #encoders = new Map<string, Encoder>();
  readonly #viewers = new Set<Viewer>();

  constructor(seed: number) {
    this.world = new RelayWorld(seed, this.#isOdd(seed) ? FROM : new Map());
  }

  #isOdd(seed: number): boolean {
    return seed % 2 === 1;
  }

  run(): void {
    for (const name of NAMES) this.world.start(name);
    this.#flow(500);
    for (let round = 0; round < 25; round++) {
      this.#disturb();
      this.#flow(40 * (1 + this.#below(30)));
    }
    this.#calm();
    this.#leaveAll();
  }

  #disturb(): void {
    const { world } = this;
    const name = NAMES[this.#below(NAMES.length)] as string;
    const node = world.relays.get(name);
    switch (this.#below(16)) {
      case 0:
        return world.network.partition([[name], NAMES.filter((other) => other !== name)], "vanish");
      case 1:
      case 2:
        return this.#cut(name);
      case 3:
      case 4:
        return world.network.heal();
      case 5:
      case 6:
        return node?.clock.isPaused === true ? node.clock.resume() : node?.clock.pause();
      case 7:
        return node === undefined ? void world.start(name) : this.#kill(node);
      case 8:
        if (node !== undefined) node.isHot = !node.isHot;
        return;
      case 9:
      case 10:
        return this.#publishOrEnd(node);
      case 11:
        return this.#moveHome();
      case 12:
        return [...this.#viewers][this.#below(Math.max(1, this.#viewers.size))]?.leave();
      default:
        if (node !== undefined && !node.clock.isPaused) this.#watch(node);
    }
  }

  #cut(name: string): void {
    const other = NAMES[this.#below(NAMES.length)] as string;
    if (other === name) return;
    const mode = this.#below(2) === 0 ? "vanish" : "close";
    this.world.network.cut(name, other, mode);
    this.world.network.cut(other, name, mode);
  }

  #kill({ name }: RelayNode): void {
    const { world } = this;
    world.end(name);
    for (const viewer of [...this.#viewers]) if (viewer.node.name === name) this.#viewers.delete(viewer);
    for (const key of KEYS) {
      const row = world.row(key);
      if (row?.publisherAt === name) {
        this.#encoders.delete(key);
        this.#after(LEASE, () => this.#encoders.has(key) || world.setRow(key, undefined));
      } else if (row?.home === name) {
        // the node with the publisher feeds another home at once
        this.#after(this.#below(200), () => this.#setHome(key, row));
      }
    }
  }

  #setHome(key: string, before: StreamHome): void {
    if (this.world.row(key) !== before) return;
    const home = [...this.world.relays.keys()][this.#below(this.world.relays.size)] as string;
    this.world.setRow(key, { ...before, home });
  }

  #moveHome(): void {
    const key = KEYS[this.#below(KEYS.length)] as string;
    const row = this.world.row(key);
    if (row !== undefined && this.#encoders.has(key)) this.#setHome(key, row);
  }

  /** A key has one publisher at a time: the next one waits until the row of the last is gone. */
  #publishOrEnd(node: RelayNode | undefined): void {
    const key = KEYS[this.#below(KEYS.length)] as string;
    const encoder = this.#encoders.get(key);
    if (encoder !== undefined) {
      if (encoder.node.clock.isPaused) return;
      this.#encoders.delete(key);
      encoder.end(this.#below(2) === 0 ? "lost" : "unpublished");
      this.world.setRow(key, undefined);
    } else if (node !== undefined && !node.clock.isPaused && this.world.row(key) === undefined) {
      const isElsewhere = this.#below(3) === 0;
      const home = isElsewhere ? ([...this.world.relays.keys()][0] as string) : node.name;
      this.#encoders.set(key, this.world.publish(node.name, key, home));
    }
  }

  #watch(node: RelayNode): void {
    const key = KEYS[this.#below(KEYS.length)] as string;
    this.#viewers.add(new Viewer(node, key));
  }

  #flow(millis: number): void {
    for (let passed = 0; passed < millis; passed += 40) {
      for (const encoder of this.#encoders.values()) encoder.node.clock.run(() => encoder.send());
      this.world.run(40);
      for (const viewer of [...this.#viewers]) if (viewer.isOver) this.#viewers.delete(viewer);
      this.#check();
    }
  }

  /** At any moment: one upstream for each stream and node, one copy for each node, and no path through a node twice. */
  #check(): void {
    for (const { name, relay } of this.world.relays.values()) {
      const copies = [...relay.copies].map(({ node, key }) => `${key} for ${node}`);
      assert.equal(new Set(copies).size, copies.length, `two copies for one node at ${name}: ${copies.join()}`);
      for (const { source, key } of relay.mirrors) {
        const path = source?.path ?? [name];
        assert.equal(path[0], name);
        assert.equal(new Set(path).size, path.length, `the path of ${key} is a loop: ${path.join(" ")}`);
      }
    }
  }

  /** Once all is whole, everybody sees what is published, and nobody sees what is not. */
  #calm(): void {
    const { world } = this;
    world.network.heal();
    for (const { clock } of world.relays.values()) clock.resume();
    for (const node of world.relays.values()) node.isHot = false;
    this.#flow(LEASE + GRACE + 4_000);
    for (const viewer of this.#viewers) {
      const encoder = this.#encoders.get(viewer.key);
      const what = `${viewer.key} at ${viewer.node.name}`;
      if (encoder === undefined) {
        assert.ok(!viewer.node.streams.isPublished(viewer.key), `${what} is shown as published`);
        continue;
      }
      assert.equal(viewer.picture?.publication, encoder.number, `${what} is an earlier publication`);
      assert.ok((viewer.picture?.number ?? -1) >= encoder.sent - 3, `${what} is behind: ${viewer.picture?.number}`);
    }
    for (const { name, relay } of world.relays.values())
      for (const { key, source } of relay.mirrors)
        if (source !== undefined) assert.deepEqual(source.path, this.#pathFrom(name, key));
  }

  /** As each node on the way says. */
  #pathFrom(name: string, key: StreamKey): readonly string[] {
    const next = this.world.get(name).relay.findMirror(key)?.source?.path[1];
    return next === undefined ? [name] : [name, ...this.#pathFrom(next, key)];
  }

  #leaveAll(): void {
    const { world } = this;
    for (const viewer of this.#viewers) viewer.leave();
    for (const [key, encoder] of this.#encoders) {
      encoder.end("unpublished");
      world.setRow(key, undefined);
    }
    world.run(15_000);
    for (const { name, relay, streams, mesh } of world.relays.values()) {
      assert.equal([...relay.mirrors].length, 0, `${name} keeps mirrors`);
      assert.equal([...relay.copies].length, 0, `${name} keeps copies`);
      assert.equal(streams.size, 0, `${name} keeps streams`);
      for (const link of mesh.links.values())
        assert.deepEqual(
          [...(link.driver.link?.channels ?? [])].filter(({ service }) => service === "stream").length,
          0,
          `${name} keeps channels`,
        );
    }
  }

  #after(millis: number, action: () => void): void {
    this.world.clock.after(millis as never, action);
  }

  #below(limit: number): number {
    return randomBelow(this.world.random, limit);
  }
}

everySeed(
  "[RLY20] publishers and viewers come and go anywhere, and every viewer ends with the right stream",
  { count: 50, file: FILE },
  (seed) => new Model(seed).run(),
);
