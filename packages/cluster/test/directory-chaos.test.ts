/** Claims under random partitions, pauses, deaths and restarts: at most one confirmed home for each epoch, and one that acknowledges. */
import assert from "node:assert/strict";
import type { HomeClaim } from "@sluice/cluster/directory/home-claim";
import { randomBelow } from "@sluice/testkit/random";
import { everySeed } from "@sluice/testkit/seeds";
import { DirectoryWorld, HOSTS, type Member } from "./directory-world.ts";

const FILE = "packages/cluster/test/directory-chaos.test.ts";
const NAMES = ["a", "b", "c"];
const OBJECTS = ["o1", "o2"];
const STREAM = "live/cam";

class Chaos {
  readonly world: DirectoryWorld;
  readonly #claims = new Map<string, HomeClaim>();
  #publications = 0;

  constructor(seed: number) {
    this.world = new DirectoryWorld(seed);
  }

  async run(): Promise<void> {
    for (const name of NAMES) this.#claimObjects(await this.world.join(name));
    for (let round = 0; round < 25; round++) {
      await this.#disturb();
      for (let steps = 5 + this.#below(40); steps > 0; steps--) {
        await this.world.advance(20);
        this.#check();
      }
    }
    await this.#calm();
  }

  /** One fault, or one wish of somebody. */
  async #disturb(): Promise<void> {
    const { world } = this;
    const member = this.#anyMember();
    switch (this.#below(11)) {
      case 0:
        return world.isolate([member.name]);
      case 1:
        return world.network.partition(
          [
            ["a", "b"],
            ["c", ...HOSTS],
          ],
          "vanish",
        );
      case 2:
        return world.network.heal();
      case 3:
      case 9:
      case 10:
        return this.#pauseOrResume(member);
      case 4:
        return this.#cutOrHealEngines();
      case 5:
        return this.#restart(member);
      case 6:
        this.#claims.get(this.#anyClaim(member))?.release();
        return;
      default:
        return this.#claim(member);
    }
  }

  #cutOrHealEngines(): void {
    for (const { engine } of this.world.hosts.values()) {
      if (this.#below(2) === 0) engine.cut();
      else engine.heal();
    }
  }

  /** The first thing that runs after a pause is an acknowledgement, before any timer and any news. */
  #pauseOrResume({ clock }: Member): void {
    if (clock.isPaused) return clock.resume();
    clock.pause();
    clock.run(() => this.#check());
  }

  #claim(member: Member): void {
    if (member.clock.isPaused) return;
    const key = [...OBJECTS, STREAM][this.#below(3)] as string;
    const ifTaken = this.#below(2) === 0 ? "wait" : "yield";
    const isNew = this.#publications === 0 || this.#below(3) > 0;
    const publication = String(isNew ? ++this.#publications : this.#publications).padStart(16, "0");
    const claim =
      key === STREAM
        ? member.directory.claimStream(key, { publication, publisherAt: member.name, ifTaken })
        : member.directory.claimObject(key, { ifTaken });
    this.#remember(member, claim);
  }

  async #restart(member: Member): Promise<void> {
    const { world } = this;
    if (this.#below(2) === 0) return;
    world.end(member.name);
    for (const key of [...OBJECTS, STREAM]) this.#claims.delete(`${member.name} ${key}`);
    for (const { engine } of world.hosts.values()) engine.heal();
    world.network.heal();
    this.#claimObjects(await world.join(member.name));
  }

  #claimObjects(member: Member): void {
    for (const key of OBJECTS) this.#remember(member, member.directory.claimObject(key, { ifTaken: "wait" }));
  }

  #remember(member: Member, claim: HomeClaim): void {
    this.world.record(member.name, claim);
    this.#claims.set(`${member.name} ${claim.wish.key}`, claim);
  }

  /** Nobody but one acknowledges for an object; a process that stands still cannot. */
  #check(): void {
    for (const key of OBJECTS) {
      const acting = NAMES.filter((name) => {
        const member = this.world.members.get(name);
        return member?.clock.isPaused === false && this.#claims.get(`${name} ${key}`)?.mayAcknowledge === true;
      });
      assert.ok(acting.length <= 1, `${acting.join(" and ")} acknowledge for ${key} at ${this.world.clock.now()}`);
    }
  }

  /** Once all is whole, every key that somebody wants has one home, and everybody sees it. */
  async #calm(): Promise<void> {
    const { world } = this;
    world.network.heal();
    for (const { engine } of world.hosts.values()) engine.heal();
    for (const { clock } of world.members.values()) clock.resume();
    await world.until("every claim is settled", () =>
      [...this.#claims.values()].every((claim) => this.#isSettled(claim)),
    );
    await world.advance(1_000);
    for (const [name, claim] of this.#claims) {
      if (claim.state.at !== "confirmed") continue;
      assert.ok(claim.mayAcknowledge, `${name} is confirmed and may not acknowledge`);
      for (const { directory } of world.members.values()) {
        assert.deepEqual(directory.view.findHome(claim.wish.kind, claim.wish.key)?.epoch, claim.state.epoch, name);
      }
    }
  }

  #isSettled(claim: HomeClaim): boolean {
    const { at } = claim.state;
    if (at === "confirmed" || at === "lost" || at === "released") return true;
    const homes = [...this.#claims.values()].filter(({ wish }) => wish.key === claim.wish.key);
    return at === "claiming" && homes.some(({ state }) => state.at === "confirmed");
  }

  #anyClaim(member: Member): string {
    return `${member.name} ${[...OBJECTS, STREAM][this.#below(3)]}`;
  }

  #anyMember(): Member {
    return this.world.members.get(NAMES[this.#below(NAMES.length)] as string) as Member;
  }

  #below(limit: number): number {
    return randomBelow(this.world.random, limit);
  }
}

everySeed(
  "[CLU42] at most one home is confirmed for each epoch and one acknowledges, whatever happens",
  { count: 15, file: FILE },
  async (seed) => {
    await new Chaos(seed).run();
  },
);
