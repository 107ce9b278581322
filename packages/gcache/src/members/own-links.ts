/** Links of a stand-alone member: its own port for members, and dialling of all members on its list. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { Crypto } from "@sluice/base/crypto";
import type { Log } from "@sluice/base/log";
import type { Meter } from "@sluice/base/meter";
import { WireError } from "@sluice/bytes/wire-error";
import { LinkRefusedError, type Refusal } from "@sluice/mesh/errors";
import type { Incarnation, NodeIdentity } from "@sluice/mesh/hello";
import { DEFAULT_LINK_LIMITS } from "@sluice/mesh/limits";
import { type LinkService, LinkServices } from "@sluice/mesh/link-services";
import { type Attempt, type DialTarget, type LinkEnd, Mesh, type MeshLink } from "@sluice/mesh/mesh";
import { LinkListener, type LinkTls, SocketDialler } from "@sluice/runtime/links/link-ports";
import type { HostAndPort } from "@sluice/runtime/sockets/host-and-port";
import type { MemberLimits } from "../node/limits.ts";
import type { LinkFacts, MemberLinks } from "./member-links.ts";

/** Heartbeats within the time that a link may be silent. */
const HEARTBEATS = 4;

export interface OwnLinksOptions {
  readonly id: string;
  /** `none`: opens no port. */
  readonly address: HostAndPort | "none";
  readonly incarnation: Incarnation;
  /** Empty: anybody who can connect is accepted. */
  readonly secret: Uint8Array;
  readonly tls: LinkTls | undefined;
  /** Called once a peer has proved the secret: a reason to refuse it, or `undefined`. */
  readonly judge: (peer: NodeIdentity) => Refusal | undefined;
  readonly crypto: Crypto;
  readonly clock: Clock;
  /** 0 to 1. */
  readonly random: () => number;
  readonly log: Log;
  readonly meter: Meter;
  readonly limits: MemberLimits;
}

export class OwnLinks implements MemberLinks {
  readonly heartbeat: Millis;
  readonly #options: OwnLinksOptions;
  readonly #mesh: Mesh;
  readonly #listener: LinkListener;
  readonly #services = new LinkServices({ failed: (attempt, error) => this.#failed(attempt, error) });
  /** The last reason for having no link, by member: logged when it changes, not for every attempt. */
  readonly #troubles = new Map<string, string>();
  #targets: ReadonlyMap<string, DialTarget> = new Map();
  #facts: () => LinkFacts = () => new Map();

  constructor(options: OwnLinksOptions) {
    const { id, incarnation, secret, tls, judge, crypto, clock, random, log, meter, limits } = options;
    this.#options = options;
    this.heartbeat = (limits.silence / HEARTBEATS) as Millis;
    this.#mesh = new Mesh({
      own: (): NodeIdentity => ({ id, incarnation, purpose: "cache", facts: this.#facts() }),
      secrets: () => (secret.length === 0 ? [] : [secret]),
      judge,
      crypto,
      dialler: new SocketDialler(tls),
      clock,
      defer: (action) => process.nextTick(action),
      random,
      limits: { ...DEFAULT_LINK_LIMITS, ...limits },
      timings: { heartbeat: this.heartbeat, handshake: limits.handshake, silence: limits.silence },
      listener: this.#services,
    });
    this.#services.add({ names: [], up: (link) => this.#up(link), happened() {}, down: (...of) => this.#down(...of) });
    const refused = (error: Error): void => {
      meter.counter("tls_failures_total", "TLS handshakes that failed", { listener: "members" }).add();
      log.warn({ reason: error.message }, "A connection to the member port failed before the end of TLS");
    };
    const strangers = { ...limits, exempt: [] };
    const mesh = this.#mesh;
    this.#listener = new LinkListener({ name: "members", mesh, tls, strangers, clock, log, meter, refused });
  }

  get links(): ReadonlyMap<string, MeshLink> {
    return this.#mesh.links;
  }

  async open(service: LinkService, facts: () => LinkFacts): Promise<string | undefined> {
    const { address } = this.#options;
    this.#facts = facts;
    this.#services.add(service);
    return address === "none" ? undefined : this.#listener.open(address);
  }

  reach(targets: ReadonlyMap<string, DialTarget>): void {
    this.#targets = targets;
    this.#mesh.reach(targets);
  }

  drop(id: string, reason: string): void {
    this.#mesh.drop(id, reason);
  }

  async close(reason: string): Promise<void> {
    this.#mesh.close(reason);
    await this.#listener.close();
  }

  #up({ peer, address, driver }: MeshLink): void {
    this.#troubles.delete(peer.id);
    this.#options.log.info({ member: peer.id, address, side: driver.side }, "Connected to member");
  }

  #down({ peer, address }: MeshLink, why: LinkEnd): void {
    if (why.type === "replaced") return;
    this.#trouble(peer.id, address, why.type === "lost" ? why.error : new Error("the member closed the connection"));
  }

  /** A refused member retries again and again, over connections of both sides: log it once. */
  #failed({ side, address, to }: Attempt, error: Error): void {
    const named = error instanceof LinkRefusedError ? error.context.peer : "";
    if (side === "dial") this.#trouble(to, address, error);
    else if (this.#targets.has(named)) this.#trouble(named, address, error);
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

  /** @returns whether it ended because of received bytes */
  #count(error: Error): boolean {
    if (!(error instanceof WireError)) return false;
    this.#options.meter
      .counter("cache_member_refusals", "Member connections ended because of what the other side sent", {
        code: error.code,
      })
      .add();
    return true;
  }
}
