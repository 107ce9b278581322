/** Messages between members, over one link per pair: calls, the replicated log in its flows, published messages. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import type { Counter, Meter } from "@sluice/base/meter";
import type { Channel, ChannelClass } from "@sluice/mesh/channel";
import type { ChannelEvent } from "@sluice/mesh/link-event";
import type { LinkService } from "@sluice/mesh/link-services";
import type { MeshLink } from "@sluice/mesh/mesh";
import { needsSecret } from "@sluice/runtime/sockets/host-and-port";
import { Introductions, type MemberRefusal } from "./introductions.ts";
import { factsOf, type MemberIdentity, type OwnMember } from "./member-identity.ts";
import type { MemberLinks } from "./member-links.ts";
import type { PeerPins } from "./peer-pins.ts";

/** Kinds of messages: the service of the channel that carries them. */
const SERVICES = {
  member: { name: "cache member", class: "control" },
  control: { name: "replica control", class: "control" },
  log: { name: "replica log", class: "state" },
  snapshot: { name: "replica snapshot", class: "bulk" },
  call: { name: "cache call", class: "state" },
  reply: { name: "cache reply", class: "state" },
  publish: { name: "cache publish", class: "state" },
} as const satisfies Record<string, { readonly name: string; readonly class: ChannelClass }>;

type Service = keyof typeof SERVICES;

export type MemberService = Exclude<Service, "member">;

/** One heartbeat may be lost; missing two, the member has been silent for longer than any pause of a healthy one. */
const SILENT_HEARTBEATS = 2;

/** How long a link to a removed member stays: long enough for it to ask for votes and learn of its removal. */
const FAREWELL = 5_000 as Millis;

export interface MemberTransportOptions {
  readonly links: MemberLinks;
  readonly own: OwnMember;
  readonly peers: PeerPins;
  /** Empty: only members on this machine are dialled. */
  readonly secret: Uint8Array;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
}

/** Receives what other members send. */
export interface MemberListener {
  /** A message from an accepted member. The receiver owns the bytes. Throwing ends the link. */
  received(from: string, service: MemberService, message: Uint8Array): void;
  /** A member was accepted, or its identity changed. */
  introduced(peer: MemberIdentity): void;
  refusalsChanged(): void;
  /** A member that is refused because its store is not the known one asks to replace that store. */
  placeWanted(peer: MemberIdentity): void;
  /** What was under way to it and from it is lost; another link may stand already. */
  cut(id: string): void;
}

const NOBODY: MemberListener = { received() {}, introduced() {}, refusalsChanged() {}, placeWanted() {}, cut() {} };

/** The channels that this side opened on one link, by service; each opens with its first message. */
type OwnChannels = Map<Service, Channel>;

export class MemberTransport implements LinkService {
  readonly names = Object.values(SERVICES).map(({ name }) => name);
  readonly #options: MemberTransportOptions;
  readonly #introductions: Introductions;
  readonly #channels = new Map<string, OwnChannels>();
  readonly #leaving = new Map<string, Timer>();
  /** Bytes received from each doubted member when the doubt began. */
  readonly #doubted = new Map<string, number>();
  readonly #dropped: Counter;
  #members: ReadonlySet<string> = new Set();
  #told = NOBODY;
  #droppedCount = 0;

  constructor(options: MemberTransportOptions) {
    const { own, peers, log, meter } = options;
    this.#options = options;
    this.#introductions = new Introductions({
      own,
      peers,
      log,
      send: (to, notice) => this.#sendOn(to, "member", notice),
      introduced: (peer) => this.#told.introduced(peer),
      refusalsChanged: () => this.#told.refusalsChanged(),
      placeWanted: (peer) => this.#told.placeWanted(peer),
    });
    this.#dropped = meter.counter("cache_member_messages_dropped", "Messages dropped for lack of a connection");
  }

  /** @returns `host:port` as bound, if the links are the member's own. @throws {ListenError} */
  open(): Promise<string | undefined> {
    const { links, own } = this.#options;
    return links.open(this, () => factsOf(own.identity));
  }

  /** Events before this call are lost. */
  start(listener: MemberListener): void {
    this.#told = listener;
  }

  /** Messages dropped for lack of a link. */
  get droppedCount(): number {
    return this.#droppedCount;
  }

  /** Members with a link that refuse this one, or that it refuses. */
  get refusals(): readonly MemberRefusal[] {
    return this.#introductions.refusals;
  }

  /** Keeps a link to each of these, by id and address; links to removed members end soon. */
  reach(members: ReadonlyMap<string, string>): void {
    this.#members = new Set(members.keys());
    const { secret, own, links } = this.#options;
    const dialled = [...members].filter(
      ([id, address]) => id !== own.identity.id && address !== "" && !needsSecret(address, secret),
    );
    links.reach(new Map(dialled.map(([id, address]) => [id, { address, to: id }])));
    for (const id of links.links.keys()) if (!this.#members.has(id)) this.#leave(id);
    this.#introductions.judgeAll();
  }

  /** This member's own identity changed. */
  tellAll(): void {
    this.#introductions.tellAll();
  }

  /** Asks every member that refuses this one because of its new store to accept the replacement. */
  askForPlace(): void {
    this.#introductions.askForPlace();
  }

  /** As announced, whether accepted or refused. */
  identityOf(id: string): MemberIdentity | undefined {
    return this.#introductions.identityOf(id);
  }

  /** As announced; undefined for a member that is refused or has no link. */
  acceptedMember(id: string): MemberIdentity | undefined {
    return this.#introductions.accepts(id) ? this.#introductions.identityOf(id) : undefined;
  }

  /** A link to it exists and has carried something recently. */
  isConnected(to: string): boolean {
    const { links, clock } = this.#options;
    const link = links.links.get(to)?.driver.link;
    if (link === undefined || link.counts.bytesIn === this.#doubted.get(to)) return false;
    return this.isCalling(to) && link.silentFor(clock.now()) < SILENT_HEARTBEATS * links.heartbeat;
  }

  /** It was not heard when expected: it does not count as connected until it is heard again. */
  doubt(id: string): void {
    const link = this.#options.links.links.get(id)?.driver.link;
    if (link !== undefined) this.#doubted.set(id, link.counts.bytesIn);
  }

  /** A link to it exists, with or without recent traffic. */
  isCalling(id: string): boolean {
    return this.#options.links.links.has(id) && this.#introductions.accepts(id);
  }

  /**
   * @param message  owned by the link until written: the caller must not change it
   * @returns false when it was dropped: the replicated log repeats what matters
   */
  send(to: string, service: MemberService, message: Uint8Array): boolean {
    if (this.#introductions.accepts(to) && this.#sendOn(to, service, message)) return true;
    this.#droppedCount++;
    this.#dropped.add();
    return false;
  }

  async close(): Promise<void> {
    for (const timer of this.#leaving.values()) timer.cancel();
    this.#leaving.clear();
    for (const channels of this.#channels.values()) for (const channel of channels.values()) channel.close();
    await this.#options.links.close("this member is stopping");
  }

  // Events of the links.

  up(link: MeshLink): void {
    const { id } = link.peer;
    this.#channels.delete(id);
    this.#doubted.delete(id);
    this.#introductions.up(link.peer);
    if (this.#members.size > 0 && !this.#members.has(id)) this.#leave(id);
  }

  happened({ peer: { id } }: MeshLink, event: ChannelEvent): void {
    const service = serviceOf(event.channel);
    if (service === undefined) return;
    if (event.type === "closed") this.#closed(id, service, event.channel);
    else if (event.type !== "message") return;
    else if (service === "member") this.#introductions.receive(id, event.message);
    else if (this.#introductions.accepts(id)) this.#told.received(id, service, event.message);
  }

  down({ peer: { id } }: MeshLink): void {
    this.#channels.delete(id);
    this.#introductions.down(id);
    this.#told.cut(id);
  }

  #closed(id: string, service: Service, channel: Channel): void {
    const own = this.#channels.get(id);
    const isOwn = own?.get(service) === channel;
    if (isOwn) own?.delete(service);
    if (service !== "member") return;
    if (isOwn) this.#introductions.missed(id);
    else this.#introductions.gone(id);
  }

  #sendOn(to: string, service: Service, message: Uint8Array): boolean {
    const link = this.#options.links.links.get(to);
    return link !== undefined && this.#channelTo(link, service)?.send(message) === "queued";
  }

  #channelTo(link: MeshLink, service: Service): Channel | undefined {
    const { id } = link.peer;
    let channels = this.#channels.get(id);
    if (channels === undefined) this.#channels.set(id, (channels = new Map()));
    const known = channels.get(service);
    if (known !== undefined) return known;
    if (link.driver.link?.peer === undefined) return undefined; // the link has ended; its end is reported separately
    const { name, class: kind } = SERVICES[service];
    const channel = link.driver.link.openChannel(name, { class: kind });
    channels.set(service, channel);
    return channel;
  }

  #leave(id: string): void {
    if (this.#leaving.has(id)) return;
    const timer = this.#options.clock.after(FAREWELL, () => {
      this.#leaving.delete(id);
      if (!this.#members.has(id)) this.#options.links.drop(id, "no member");
    });
    this.#leaving.set(id, timer);
  }
}

const SERVICE_BY_NAME = new Map<string, Service>(
  (Object.keys(SERVICES) as Service[]).map((service) => [SERVICES[service].name, service]),
);

function serviceOf(channel: Channel): Service | undefined {
  return SERVICE_BY_NAME.get(channel.service);
}
