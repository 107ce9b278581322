/** A cache whose members and clients have a network of their own each: partitions as cables make them. Needs root. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { writeFileSync } from "node:fs";
import type { NodeReport } from "@sluice/gcache/node/cluster-admin";
import { type Child, startChild } from "@sluice/testkit/child";
import { NetworkNamespaces, whyNoNamespaces } from "@sluice/testkit/network-namespaces";
import { WorkFolder } from "./support/clip.ts";
import { MAIN } from "./support/server.ts";
import { until } from "@sluice/testkit/until";

const IDS = ["n1", "n2", "n3"] as const;
const MEMBER_PORT = 7401;
const RESP_PORT = 6401;
/** Each cut lasts beyond the lease, the election and the silence after which members dial anew. */
const CUT_MILLIS = 3_500;
const run = promisify(execFile);

class Spaces {
  readonly #spaces: NetworkNamespaces;

  constructor(spaces: NetworkNamespaces) {
    this.#spaces = spaces;
  }

  resp(id: string): string {
    return `${this.#spaces.addressOf(id)}:${RESP_PORT}`;
  }

  startMember(id: string, folder: WorkFolder): Child {
    const members = IDS.map((one) => `${one}=${this.#spaces.addressOf(one)}:${MEMBER_PORT}`).join(",");
    const secret = folder.file("secret");
    const own = ["--id", id, "--members", members, "--resp", this.resp(id), "--dir", folder.file(id)];
    const argv = [process.execPath, MAIN, "cache", ...own, "--secret-file", secret, "--log-format", "json"];
    return startChild(this.#spaces.inside(id, argv));
  }

  startWriter(): Child {
    const main = join(import.meta.dirname, "support/cache-writer-main.ts");
    const sentinels = IDS.map((id) => this.resp(id)).join(",");
    return startChild(this.#spaces.inside("writer", [process.execPath, main, sentinels]));
  }

  /** Asked inside the member's own namespace, which no cut touches. */
  async ask(id: string, ...words: readonly string[]): Promise<string> {
    const cli = ["timeout", "2", "redis-cli", "-h", this.#spaces.addressOf(id), "-p", String(RESP_PORT), ...words];
    const [program = "", ...args] = this.#spaces.inside(id, cli);
    return run(program, args).then(
      ({ stdout }) => stdout.trim(),
      () => "no answer",
    );
  }

  async settled(): Promise<string> {
    return until("all members to agree", async () => {
      const texts = await Promise.all(IDS.map((id) => this.ask(id, "SLUICE", "STATUS")));
      if (!texts.every((text) => text.startsWith("{"))) return undefined;
      const reports = texts.map((text) => JSON.parse(text) as NodeReport);
      const [{ leader, term } = { leader: null, term: 0 }] = reports;
      const agree = leader !== null && reports.every((one) => one.leader === leader && one.term === term);
      return agree ? leader : undefined;
    });
  }
}

const reason = await whyNoNamespaces();

test("loses nothing to partitions between network namespaces, and the minority acknowledges nothing", {
  skip: reason ?? false,
}, async (t) => {
  using folder = new WorkFolder();
  writeFileSync(folder.file("secret"), "known to the three");
  await using network = await NetworkNamespaces.create([...IDS, "writer"]);
  const spaces = new Spaces(network);
  await using children = new AsyncDisposableStack();
  const members = IDS.map((id) => children.use(spaces.startMember(id, folder)));
  await Promise.all(members.map((member) => member.waitForEvent("ready")));
  await spaces.settled();
  const writer = children.use(spaces.startWriter());
  const everyone = [...IDS, "writer"];
  const cuts: readonly ((leader: string) => Promise<void>)[] = [
    (leader) => network.partition([[leader], everyone.filter((one) => one !== leader)]),
    (leader) => network.unplug(leader),
    // The writer stays with the minority: what it is told must be true all the same.
    (leader) => network.partition([[leader, "writer"], IDS.filter((one) => one !== leader)]),
    async (leader) => {
      for (const one of IDS) if (one !== leader) await network.cut(one, leader);
    },
  ];
  for (const [index, cut] of cuts.entries()) {
    const leader = await spaces.settled();
    await cut(leader);
    await pause(CUT_MILLIS);
    assert.doesNotMatch(await spaces.ask(leader, "SET", `minority:${index}`, "no"), /^OK/);
    await network.heal();
    writer.write("round\n");
    const { longestGap } = await writer.waitForEvent(`written-${index + 1}`);
    t.diagnostic(`cut ${index + 1}: no write for ${String(longestGap)} ms`);
  }
  await spaces.settled();
  writer.write("stop\n");
  const result = await writer.waitForEvent("result", 60_000);
  assert.deepEqual(result["missing"], []);
  assert.equal(result["verdict"], "linearizable");
  assert.ok(Number(result["acknowledged"]) > 1_000 && Number(result["heard"]) > 300);
});
