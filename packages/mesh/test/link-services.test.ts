/** Several users on the links of a node: who is told what, and what the error of one of them ends. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Channel } from "@sluice/mesh/channel";
import { LinkFrameError } from "@sluice/mesh/errors";
import type { LinkService } from "@sluice/mesh/link-services";
import { type MemberNode, MembershipWorld } from "./membership-world.ts";

/** Writes down all that it is told; a message of one byte 0 is one that it cannot take. */
class Recorder implements LinkService {
  readonly names: readonly string[];
  readonly log: string[] = [];
  readonly channels: Channel[] = [];

  constructor(...names: readonly string[]) {
    this.names = names;
  }

  up: LinkService["up"] = ({ peer }) => void this.log.push(`up ${peer.id}`);

  down: LinkService["down"] = ({ peer }, why) => {
    this.log.push(`down ${peer.id} ${why.type}${why.type === "lost" ? ` ${why.error.message}` : ""}`);
  };

  happened: LinkService["happened"] = (_link, event) => {
    const { type, channel } = event;
    if (type === "opened") this.channels.push(channel);
    if (type !== "message") return void this.log.push(`${type} ${channel.service}${reasonOf(event)}`);
    if (event.message[0] === 0) throw new LinkFrameError({ detail: "nothing of the kind" });
    this.log.push(`message ${channel.service} ${event.message[0]}`);
  };
}

const reasonOf = (event: Parameters<LinkService["happened"]>[1]): string =>
  event.type === "closed" ? ` ${event.code}: ${event.reason}` : "";

/** Two linked nodes, and a user of each that serves `names`. */
function pairWith(...names: readonly string[]) {
  const world = new MembershipWorld(1);
  const [a, b] = [world.start("a"), world.start("b", { seeds: ["a"] })];
  const [here, there] = [new Recorder(...names), new Recorder(...names)];
  a.services.add(here);
  b.services.add(there);
  world.clock.advance(1_000);
  return { world, a, b, here, there };
}

function openTo(node: MemberNode, peer: string, service: string): Channel {
  const channel = node.mesh.links.get(peer)?.driver.link?.openChannel(service, { class: "state" });
  assert.ok(channel !== undefined);
  return channel;
}

test("[MSH370] each user hears of every link and of its own channels alone", () => {
  const { world, a, b, here, there } = pairWith("calls", "answers");
  const other = new Recorder("engine");
  b.services.add(other);
  openTo(a, "b", "answers").send(Uint8Array.of(7));
  openTo(a, "b", "engine").send(Uint8Array.of(8));
  world.clock.advance(100);
  assert.deepEqual(here.log, ["up b"]);
  assert.deepEqual(there.log, ["up a", "opened answers", "message answers 7"]);
  assert.deepEqual(other.log, ["up a", "opened engine", "message engine 8"]);
});

test("[MSH370] a name has one user, and is free again once that one is gone", () => {
  const { a, here } = pairWith("calls");
  assert.throws(() => a.services.add(new Recorder("more", "calls")), RangeError);
  a.services.add(new Recorder("more"))[Symbol.dispose]();
  a.services.add(new Recorder("more"));
  assert.deepEqual(here.log, ["up b"]);
});

test("[MSH371] a channel that nobody serves is refused, and the link goes on", () => {
  const { world, a, b, there } = pairWith("calls");
  const asker = new Recorder("unheard of");
  a.services.add(asker);
  openTo(a, "b", "unheard of").send(Uint8Array.of(1));
  world.clock.advance(100);
  assert.deepEqual(asker.log, ["up b", 'closed unheard of refused: this node does not serve "unheard of"']);
  assert.deepEqual(there.log, ["up a"]);
  assert.deepEqual([a.mesh.links.size, b.mesh.links.size], [1, 1]);
});

test("[MSH372] what one user cannot take ends that link, for all its users, and no other", () => {
  const { world, a, b, here, there } = pairWith("calls");
  world.start("c", { seeds: ["a"] });
  world.clock.advance(2_000);
  const bystander = new Recorder("engine");
  b.services.add(bystander);
  const channel = openTo(a, "b", "calls");
  for (const byte of [1, 0, 2]) channel.send(Uint8Array.of(byte));
  world.clock.advance(30);
  const lost = "down a lost Cannot read from link: nothing of the kind";
  assert.deepEqual(
    there.log.filter((line) => !line.endsWith(" c")),
    ["up a", "opened calls", "message calls 1", "closed calls lost: Cannot read from link: nothing of the kind", lost],
  );
  assert.deepEqual(
    bystander.log.filter((line) => !line.endsWith(" c")),
    ["up a", lost],
  );
  assert.ok(b.mesh.links.has("c"));
  world.clock.advance(2_000);
  assert.equal(there.log.at(-1), "up a", "it is linked again");
  assert.ok(here.log.some((line) => line.startsWith("down b")));
});

test("[MSH26] channels of a link that is replaced are told as lost before it is, on both sides", () => {
  let replacedCount = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const world = new MembershipWorld(seed);
    const recorders = [["a", "b"] as const, ["b", "a"] as const].map(([name, seed]) => {
      const node = world.start(name, { seeds: [seed] });
      const recorder = new Recorder("calls");
      const { log } = recorder;
      recorder.up = ({ peer, driver }) => {
        log.push(`up ${peer.id}`);
        driver.link?.openChannel("calls", { class: "state" });
      };
      node.services.add(recorder);
      return recorder;
    });
    world.clock.advance(5_000);
    for (const { log } of recorders) {
      const at = log.findIndex((line) => line.endsWith("replaced"));
      if (at < 0) continue;
      replacedCount++;
      const before = log.slice(0, at).filter((line) => line.startsWith("closed calls lost") || line.startsWith("up"));
      assert.ok(before.length >= 2 && before.at(-1)?.startsWith("closed"), `seed ${seed}: ${log.join(", ")}`);
    }
  }
  assert.ok(replacedCount > 0, "no link was replaced in any seed");
});
