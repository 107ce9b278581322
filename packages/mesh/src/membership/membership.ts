/** Membership of the cluster: dials seeds and every node it learns of, passes on what nodes announce, and detects silent ones. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { Channel } from "../channel.ts";
import type { NodeIdentity } from "../hello.ts";
import type { ChannelEvent } from "../link-event.ts";
import type { LinkService } from "../link-services.ts";
import type { DialTarget, LinkEnd, MeshLink } from "../mesh.ts";
import { type MembershipChange, MembershipView, type NodeRow, type ViewOptions } from "./membership-view.ts";
import {
  type AnnouncedState,
  decodeMessage,
  encodeMessage,
  isNews,
  type KnownVersion,
  type NodeRecord,
} from "./node-record.ts";

/** The service of the channels that carry records. */
export const MEMBERSHIP_SERVICE = "membership";
/** Records per message; with a hundred links in each they stay below the limit of a control message. */
const RECORDS_PER_MESSAGE = 16;
/** Known versions per message. */
const VERSIONS_PER_MESSAGE = 512;
/** News waits this long before it is passed on: its author has usually told everybody by then. */
const PASS_ON_AFTER = 500 as Millis;
/** Changes of this node's own links are announced together: many come at once when a cluster starts. */
const ANNOUNCE_AFTER = 200 as Millis;
/** How often all known versions are compared with one peer, which repairs missed news. */
const COMPARE_EVERY = 5_000 as Millis;

/** What a node announces about itself beside its state. */
export type Description = Pick<NodeRecord, "addresses"> & Partial<Pick<NodeRecord, "settings" | "heat" | "services">>;

export interface MembershipOptions extends Omit<ViewOptions, "self"> {
  readonly self: NodeIdentity;
  readonly record: Description & Pick<NodeRecord, "roles" | "build" | "since">;
  readonly clock: Clock;
  readonly random: () => number;
  /** How often silence is checked. */
  readonly judgeEvery: Millis;
  /** Keeps links to these targets, by names that membership chooses. */
  readonly reach: (targets: ReadonlyMap<string, DialTarget>) => void;
  /** In order; the nodes already in view are reported first, as `joined`. */
  readonly changed: (change: MembershipChange) => void;
  /** Another process claims this node's id with a later incarnation. Called for every such record. */
  readonly twin?: (record: NodeRecord) => void;
}

interface Peer {
  readonly link: MeshLink;
  readonly channel: Channel;
}

/** One of the services of a node's links. */
export class Membership implements LinkService {
  readonly names = [MEMBERSHIP_SERVICE];
  readonly #options: MembershipOptions;
  readonly #view: MembershipView;
  readonly #peers = new Map<string, Peer>();
  #own: NodeRecord;
  #seeds: readonly string[] = [];
  #announcing: Timer | undefined;
  /** Ids whose news has yet to be passed on, and the peer that each came from. */
  readonly #toPassOn = new Map<string, string>();
  #passingOn: Timer | undefined;
  #judging: Timer;
  #judgedAt: Millis;
  #comparedAt: Millis;
  #isStale = false;

  constructor(options: MembershipOptions) {
    const { self, record, clock } = options;
    this.#options = options;
    this.#view = new MembershipView({ ...options, self: self.id });
    const { id, incarnation } = self;
    this.#own = {
      settings: "",
      heat: 0,
      services: [],
      ...record,
      id,
      incarnation,
      version: 1,
      state: "starting",
      links: [],
    };
    this.#judgedAt = clock.now();
    this.#comparedAt = clock.now();
    this.#view.heard(this.#own, clock.now());
    this.#judging = this.#judgeLater();
    this.#tellChanges();
  }

  /** Includes this node's own row. */
  get rows(): readonly NodeRow[] {
    return this.#view.rows;
  }

  /** A node has been suspect for so long that it should be dead, but the engine cannot confirm it. */
  get isStale(): boolean {
    return this.#isStale;
  }

  find(id: string): NodeRow | undefined {
    return this.#view.find(id);
  }

  /** Resolved addresses, `host:port`; each is dialled until it answers, and again when its link is lost. */
  setSeeds(addresses: readonly string[]): void {
    this.#seeds = addresses;
    this.#reach();
  }

  /** Tells all other nodes. `left` is the last announcement: links may end afterwards. */
  announce(state: AnnouncedState): void {
    if (this.#own.state === state) return;
    this.#say({ state });
  }

  /** Tells all other nodes about a change, for instance of listener addresses. */
  describe(description: Partial<Description>): void {
    this.#say(description);
  }

  up(link: MeshLink): void {
    const { clock } = this.#options;
    const channel = link.driver.link?.openChannel(MEMBERSHIP_SERVICE, { class: "control" });
    if (channel === undefined) return;
    this.#peers.set(link.peer.id, { link, channel });
    this.#send(channel, [this.#own]);
    this.#sendKnown(channel);
    this.#view.linked(link.peer, true, clock.now());
    this.#linksChanged();
  }

  down(link: MeshLink, why: LinkEnd): void {
    if (this.#peers.get(link.peer.id)?.link !== link) return;
    this.#peers.delete(link.peer.id);
    if (why.type === "replaced") return;
    this.#view.linked(link.peer, false, this.#options.clock.now());
    this.#linksChanged();
  }

  /** @throws {WireError} for a message that no node sends */
  happened(link: MeshLink, event: ChannelEvent): void {
    if (event.type !== "message") return;
    const { records, known } = decodeMessage(event.message);
    if (records.length > 0) this.#onRecords(link.peer.id, records);
    if (known.length > 0) this.#onKnown(link.peer.id, known);
  }

  /** May be called twice. */
  close(): void {
    this.#judging.cancel();
    this.#announcing?.cancel();
    this.#passingOn?.cancel();
  }

  #onRecords(from: string, records: readonly NodeRecord[]): void {
    const now = this.#options.clock.now();
    const news = records.filter((record) => record.id !== this.#own.id && this.#view.heard(record, now));
    for (const { id } of news) {
      const peer = this.#peers.get(id)?.link.peer;
      if (peer !== undefined) this.#view.linked(peer, true, now);
      this.#toPassOn.set(id, from);
    }
    if (news.length > 0) this.#passOnLater();
    // A peer remembers a version of this node above its own: from an earlier clock, or forged. Continue above it.
    const own = records.find(({ id }) => id === this.#own.id);
    if (own !== undefined && own.incarnation === this.#own.incarnation && own.version > this.#own.version) {
      this.#say({ version: own.version });
    }
    if (own !== undefined && own.incarnation > this.#own.incarnation) this.#options.twin?.(own);
    this.#tellChanges();
  }

  /** Sends the peer every record that it lacks, including nodes that it did not list. */
  #onKnown(from: string, known: readonly KnownVersion[]): void {
    const peer = this.#peers.get(from);
    if (peer === undefined) return;
    const versions = new Map(known.map(([id, incarnation, version]) => [id, { incarnation, version }]));
    const isLast = known.length < VERSIONS_PER_MESSAGE;
    // The dead are not told: who never knew them would wait for them anew.
    const lacking = this.#view.rows
      .filter(({ standing }) => standing !== "dead")
      .map(({ record }) => record)
      .filter((record) => {
        const there = versions.get(record.id);
        return there === undefined ? isLast : isNews(record, { ...record, ...there } as NodeRecord);
      });
    this.#send(peer.channel, lacking);
  }

  #passOnLater(): void {
    this.#passingOn ??= this.#options.clock.after(PASS_ON_AFTER, () => {
      this.#passingOn = undefined;
      this.#passOn();
    });
  }

  /** Passes news to the nodes that its author is not linked to; the author tells its own peers. */
  #passOn(): void {
    const news = [...this.#toPassOn].flatMap(([id, from]) => {
      const record = this.#view.find(id)?.record;
      return record === undefined ? [] : [{ record, from, links: new Set(record.links) }];
    });
    this.#toPassOn.clear();
    for (const [id, { channel }] of this.#peers) {
      const unheard = news.filter(({ record, from, links }) => id !== from && id !== record.id && !links.has(id));
      this.#send(
        channel,
        unheard.map(({ record }) => record),
      );
    }
  }

  #say(change: Partial<NodeRecord>): void {
    this.#own = { ...this.#own, ...change, version: Math.max(this.#own.version, change.version ?? 0) + 1 };
    this.#view.heard(this.#own, this.#options.clock.now());
    const message = encodeMessage({ records: [this.#own] });
    for (const { channel } of this.#peers.values()) channel.send(message);
    this.#tellChanges();
  }

  #linksChanged(): void {
    this.#tellChanges();
    this.#announcing ??= this.#options.clock.after(ANNOUNCE_AFTER, () => {
      this.#announcing = undefined;
      this.#say({ links: [...this.#peers.keys()].sort() });
    });
  }

  #judgeLater(): Timer {
    return this.#options.clock.after(this.#options.judgeEvery, () => {
      this.#judge();
      this.#judging = this.#judgeLater();
    });
  }

  #judge(): void {
    const { clock, judgeEvery } = this.#options;
    const now = clock.now();
    // This process was paused and could not hear anybody.
    if (now - this.#judgedAt > 2 * judgeEvery) this.#view.forgive(now);
    this.#judgedAt = now;
    this.#isStale = this.#view.judge(now);
    if (now - this.#comparedAt >= COMPARE_EVERY) this.#compare(now);
    this.#tellChanges();
  }

  #compare(now: Millis): void {
    this.#comparedAt = now;
    const peers = [...this.#peers.values()];
    const peer = peers[Math.floor(this.#options.random() * peers.length)];
    if (peer === undefined) return;
    this.#sendKnown(peer.channel);
  }

  /** Targets: seeds where no known node answers, and every known node that can be dialled. */
  #reach(): void {
    const { self, reach } = this.#options;
    const targets = new Map<string, DialTarget>();
    const known = new Set<string>();
    for (const { record, standing } of this.#view.rows) {
      const address = record.addresses["cluster"];
      if (address === undefined || standing === "left" || standing === "dead") continue;
      known.add(address);
      if (record.id !== self.id) targets.set(`node ${record.id}`, { address, to: record.id });
    }
    for (const address of this.#seeds) if (!known.has(address)) targets.set(`seed ${address}`, { address, to: "" });
    reach(targets);
  }

  #send(channel: Channel, records: readonly NodeRecord[]): void {
    for (let at = 0; at < records.length; at += RECORDS_PER_MESSAGE) {
      channel.send(encodeMessage({ records: records.slice(at, at + RECORDS_PER_MESSAGE) }));
    }
  }

  #sendKnown(channel: Channel): void {
    const known = this.#view.rows.map(
      ({ record: { id, incarnation, version } }): KnownVersion => [id, incarnation, version],
    );
    for (let at = 0; at <= known.length; at += VERSIONS_PER_MESSAGE) {
      channel.send(encodeMessage({ known: known.slice(at, at + VERSIONS_PER_MESSAGE) }));
    }
  }

  #tellChanges(): void {
    let isReachDue = false;
    for (let change = this.#view.nextChange(); change !== undefined; change = this.#view.nextChange()) {
      isReachDue ||= change.type !== "changed";
      this.#options.changed(change);
    }
    if (isReachDue) this.#reach();
  }
}
