/** Nodes that share a directory: engine over links to two hosts, each node with a clock of its own. */
import { SILENT_LOG } from "@sluice/base/log";
import type { ClaimState, HomeClaim } from "@sluice/cluster/directory/home-claim";
import { Directory } from "@sluice/cluster/directory/directory";
import type { LinkEngine } from "@sluice/cluster/engine/link-engine";
import { formatEpoch } from "@sluice/engine/epoch";
import { EngineWorld, type WorldNode } from "./engine-world.ts";

export interface Member extends WorldNode {
  readonly engine: LinkEngine;
  readonly directory: Directory;
}

export const HOSTS = ["host1", "host2"];

export class DirectoryWorld extends EngineWorld {
  readonly members = new Map<string, Member>();
  /** Who was confirmed with which epoch: never two. */
  readonly #confirmed = new Map<string, string>();
  #incarnation = 0;

  constructor(seed: number) {
    super(seed);
    for (const name of HOSTS) this.startHost(name);
  }

  async join(name: string): Promise<Member> {
    const node = this.startNode(name);
    const engine = await this.during(this.openClient(node));
    const directory = new Directory({
      engine,
      services: node.services,
      self: { id: name, incarnation: ++this.#incarnation },
      clock: node.clock,
      log: SILENT_LOG,
      random: this.random,
    });
    const member: Member = { ...node, engine, directory };
    this.members.set(name, member);
    await this.until(`${name} in its own view`, () => directory.view.findNode(name) !== undefined);
    return member;
  }

  /** As kill -9. */
  end(name: string): void {
    this.members.delete(name);
    this.kill(name);
  }

  /** A node alone with those named, both ways; all others stay together. */
  isolate(names: readonly string[]): void {
    const others = this.network.names.filter((name) => !names.includes(name));
    this.network.partition([names, others], "vanish");
  }

  /** Writes down the states of a claim, and that no epoch has two homes. */
  record(member: string, claim: HomeClaim): ClaimState[] {
    const states: ClaimState[] = [];
    claim.onChange((state) => {
      states.push(state);
      if (state.at !== "confirmed") return;
      const id = `${claim.wish.kind} ${claim.wish.key} ${formatEpoch(state.epoch)}`;
      const other = this.#confirmed.get(id);
      if (other !== undefined) throw new Error(`${id} has two homes: ${other} and ${member}`);
      this.#confirmed.set(id, member);
    });
    return states;
  }

  confirmedCount(): number {
    return this.#confirmed.size;
  }
}
