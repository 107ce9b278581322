/** What members say to each other, over one link for each pair: calls, the replicated log in its flows, published messages. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { Crypto } from "@sluice/base/crypto";
import type { Log } from "@sluice/base/log";
import type { Counter, Meter } from "@sluice/base/meter";
import { WireError } from "@sluice/bytes/wire-error";
import type { Channel, ChannelClass } from "@sluice/mesh/channel";
import type { Refusal } from "@sluice/mesh/errors";
import type { Incarnation, NodeIdentity } from "@sluice/mesh/hello";
import type { LinkEvent } from "@sluice/mesh/link-event";
import { DEFAULT_LINK_LIMITS } from "@sluice/mesh/limits";
import { type Attempt, type LinkEnd, Mesh, type MeshLink } from "@sluice/mesh/mesh";
import { LinkListener, type LinkTls, SocketDialler } from "@sluice/runtime/links/link-ports";
import { type HostAndPort, needsSecret } from "@sluice/runtime/sockets/host-and-port";
import type { MemberLimits } from "../node/limits.ts";
import { factsOf, type MemberIdentity, memberOf } from "./member-identity.ts";

/** What a message is about: the service of the channel that carries it. */
const SERVICES = {
  control: { name: "replica control", class: "control" },
  log: { name: "replica log", class: "state" },
  snapshot: { name: "replica snapshot", class: "bulk" },
  call: { name: "call", class: "state" },
  reply: { name: "reply", class: "state" },
  publish: { name: "publish", class: "state" },
} as const satisfies Record<string, { readonly name: string; readonly class: ChannelClass }>;

export type MemberService = keyof typeof SERVICES;

/** Of the time that a link may be silent. */
const HEARTBEATS = 4;
/** One may be missed by chance; with two the member has said nothing for longer than any pause of a healthy one. */
const SILENT_HEARTBEATS = 2;

/** How long a link to a removed member stays: until it has asked for votes and heard that it is none any more. */
const FAREWELL = 5_000 as Millis;

export interface MemberTransportOptions {
  /** Asked for every handshake: a joiner learns its cluster's id from the first member that calls it. */
  readonly own: () => MemberIdentity;
  readonly incarnation: Incarnation;
  /** Empty: anybody who can connect is believed. */
  readonly secret: Uint8Array;
  readonly tls: LinkTls | undefined;
  readonly judge: (peer: MemberIdentity) => Refusal | undefined;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  readonly limits: MemberLimits;
}

/** What the other members tell. */
export interface MemberListener {
  /** A message from a member that proved itself. The bytes belong to the receiver. Throwing ends the link. */
  received(from: string, service: MemberService, message: Uint8Array): void;
  /** A member proved itself and can be dialled where it says. */
  introduced(peer: MemberIdentity): void;
}

const NOBODY: MemberListener = { received() {}, introduced() {} };

/** The channels that this side opened on one link, by service; opened with the first message. */
type OwnChannels = Map<MemberService, Channel>;

export class MemberTransport {
  readonly #options: MemberTransportOptions;
  readonly #mesh: Mesh;
  readonly #listener: LinkListener;
  readonly #channels = new Map<string, OwnChannels>();
  readonly #leaving = new Map<string, Timer>();
  /** The last reason for having no link, by member: logged when it changes, not at every attempt. */
  readonly #troubles = new Map<string, string>();
  /** Bytes heard from those that are doubted, when that began. */
  readonly #doubted = new Map<string, number>();
  readonly #heartbeat: Millis;
  readonly #dropped: Counter;
  #members: ReadonlySet<string> = new Set();
  #told = NOBODY;
  #droppedCount = 0;

  constructor(options: MemberTransportOptions) {
    const { own, incarnation, secret, tls, judge, crypto, clock, log, meter, limits } = options;
    this.#options = options;
    this.#heartbeat = (limits.silence / HEARTBEATS) as Millis;
    this.#mesh = new Mesh({
      own: (): NodeIdentity => ({ id: own().id, incarnation, purpose: "cache", facts: factsOf(own()) }),
      secrets: () => (secret.length === 0 ? [] : [secret]),
      judge: (peer) => {
        const member = memberOf(peer);
        return member === undefined ? "other-purpose" : judge(member);
      },
      crypto,
      dialler: new SocketDialler(tls),
      clock,
      defer: (action) => process.nextTick(action),
      random: Math.random,
      limits: { ...DEFAULT_LINK_LIMITS, ...limits },
      timings: { heartbeat: this.#heartbeat, handshake: limits.handshake, silence: limits.silence },
      listener: {
        up: (link) => this.#up(link),
        happened: (link, event) => this.#happened(link, event),
        down: (link, why) => this.#down(link, why),
        failed: (attempt, error) => this.#failed(attempt, error),
      },
    });
    const refused = (error: Error): void => {
      meter.counter("tls_failures_total", "TLS handshakes that failed", { listener: "members" }).add();
      log.warn({ reason: error.message }, "A connection to the member port failed before the end of TLS");
    };
    const strangers = { ...limits, exempt: [] };
    this.#listener = new LinkListener({
      name: "members",
      mesh: this.#mesh,
      tls,
      strangers,
      clock,
      log,
      meter,
      refused,
    });
    this.#dropped = meter.counter("cache_member_messages_dropped", "Messages that had no connection to go out on");
  }

  /** @returns `host:port` as bound. @throws {ListenError} */
  open(at: HostAndPort): Promise<string> {
    return this.#listener.open(at);
  }

  /** What is told before is lost. */
  start(listener: MemberListener): void {
    this.#told = listener;
  }

  /** Messages that had no link to go out on. */
  get droppedCount(): number {
    return this.#droppedCount;
  }

  /** Keeps a link to each of these, by id and address; whoever is no member any more soon has none. */
  reach(members: ReadonlyMap<string, string>): void {
    this.#members = new Set(members.keys());
    const { secret, own } = this.#options;
    const dialled = [...members].filter(
      ([id, address]) => id !== own().id && address !== "" && !needsSecret(address, secret),
    );
    this.#mesh.reach(new Map(dialled.map(([id, address]) => [id, { address, to: id }])));
    for (const id of this.#mesh.links.keys()) if (!this.#members.has(id)) this.#leave(id);
  }

  /** There is a link to it that has carried something of late. */
  isConnected(to: string): boolean {
    const link = this.#mesh.links.get(to)?.driver.link;
    if (link === undefined || link.counts.bytesIn === this.#doubted.get(to)) return false;
    return link.silentFor(this.#options.clock.now()) < SILENT_HEARTBEATS * this.#heartbeat;
  }

  /** It was not heard when it should have been: until it is again, it does not count as connected. */
  doubt(id: string): void {
    const link = this.#mesh.links.get(id)?.driver.link;
    if (link !== undefined) this.#doubted.set(id, link.counts.bytesIn);
  }

  /** A link to it stands, heard or not. */
  isCalling(id: string): boolean {
    return this.#mesh.links.has(id);
  }

  /**
   * @param message  belongs to the link until it is written: the caller changes it no more
   * @returns false when it went nowhere: the replicated log sends again what matters
   */
  send(to: string, service: MemberService, message: Uint8Array): boolean {
    const link = this.#mesh.links.get(to);
    const isSent = link !== undefined && this.#channelTo(link, service)?.send(message) === "queued";
    if (isSent) return true;
    this.#droppedCount++;
    this.#dropped.add();
    return false;
  }

  async close(): Promise<void> {
    for (const timer of this.#leaving.values()) timer.cancel();
    this.#leaving.clear();
    this.#mesh.close("this member is stopping");
    await this.#listener.close();
  }

  #channelTo(link: MeshLink, service: MemberService): Channel | undefined {
    const { id } = link.peer;
    let channels = this.#channels.get(id);
    if (channels === undefined) this.#channels.set(id, (channels = new Map()));
    const known = channels.get(service);
    if (known !== undefined) return known;
    const { name, class: kind } = SERVICES[service];
    const channel = link.driver.link?.openChannel(name, { class: kind });
    if (channel !== undefined) channels.set(service, channel);
    return channel;
  }

  #up(link: MeshLink): void {
    const { log } = this.#options;
    const { id } = link.peer;
    this.#channels.delete(id);
    this.#doubted.delete(id);
    this.#troubles.delete(id);
    log.info({ member: id, address: link.address, side: link.driver.side }, "Connected to member");
    const member = memberOf(link.peer);
    if (member !== undefined) this.#told.introduced(member);
    if (this.#members.size > 0 && !this.#members.has(id)) this.#leave(id);
  }

  #happened(link: MeshLink, event: Exclude<LinkEvent, { readonly type: "established" | "ended" }>): void {
    const { id } = link.peer;
    if (event.type === "opened") {
      if (serviceOf(event.channel) === undefined) event.channel.close("refused", "no such service");
    } else if (event.type === "closed") {
      const service = serviceOf(event.channel);
      const own = this.#channels.get(id);
      if (service !== undefined && own?.get(service) === event.channel) own.delete(service);
    } else if (event.type === "message") {
      const service = serviceOf(event.channel);
      if (service !== undefined) this.#receive(link, service, event.message);
    }
  }

  #receive(link: MeshLink, service: MemberService, message: Uint8Array): void {
    try {
      this.#told.received(link.peer.id, service, message);
    } catch (error) {
      link.driver.end(error as Error);
    }
  }

  #down(link: MeshLink, why: LinkEnd): void {
    const { id } = link.peer;
    this.#channels.delete(id);
    if (why.type === "replaced") return;
    this.#trouble(id, link.address, why.type === "lost" ? why.error : new Error("the member closed the connection"));
  }

  #failed({ side, address, to }: Attempt, error: Error): void {
    if (side === "dial") this.#trouble(to, address, error);
    else this.#complain(address, error);
  }

  #trouble(member: string, address: string, error: Error): void {
    this.#count(error);
    if (this.#troubles.get(member) === error.message) return;
    this.#troubles.set(member, error.message);
    this.#options.log.warn({ member, address, reason: error.message }, "No connection to member");
  }

  #complain(address: string, error: Error): void {
    const { log } = this.#options;
    if (!this.#count(error)) return log.debug({ address, reason: error.message }, "Member connection ended");
    log.warn({ address, reason: error.message, code: (error as WireError).code }, "Ended a member connection");
  }

  /** @returns whether it ended for what was said on it */
  #count(error: Error): boolean {
    if (!(error instanceof WireError)) return false;
    this.#options.meter
      .counter("cache_member_refusals", "Member connections that ended because of what was said on them", {
        code: error.code,
      })
      .add();
    return true;
  }

  #leave(id: string): void {
    if (this.#leaving.has(id)) return;
    const timer = this.#options.clock.after(FAREWELL, () => {
      this.#leaving.delete(id);
      if (!this.#members.has(id)) this.#mesh.drop(id, "no member");
    });
    this.#leaving.set(id, timer);
  }
}

const SERVICE_BY_NAME = new Map<string, MemberService>(
  (Object.keys(SERVICES) as MemberService[]).map((service) => [SERVICES[service].name, service]),
);

function serviceOf(channel: Channel): MemberService | undefined {
  return SERVICE_BY_NAME.get(channel.service);
}
