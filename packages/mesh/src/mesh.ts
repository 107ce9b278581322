/** All links of one node: dials its targets, accepts incoming connections, and keeps one link per pair of nodes. */
import { Backoff } from "@sluice/base/backoff";
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import { LinkRefusedError, type Refusal } from "./errors.ts";
import type { HandshakeOptions } from "./handshake.ts";
import type { NodeIdentity } from "./hello.ts";
import type { ChannelEvent, LinkEvent } from "./link-event.ts";
import { type DriverOptions, LinkDriver } from "./link-driver.ts";
import type { LinkLimits, LinkTimings } from "./limits.ts";
import type { LinkDialler, LinkTransport, TransportReceiver } from "./transport.ts";

/** Starts short, so that a returning peer is linked quickly; the cap keeps dialling of a missing one cheap. */
const BACKOFF = { first: 50 as Millis, cap: 1_000 as Millis, factor: 2 };

export interface MeshOptions {
  /** Read for every handshake, since facts about the node can change. */
  readonly own: () => NodeIdentity;
  readonly secrets: () => HandshakeOptions["secrets"];
  readonly judge: (peer: NodeIdentity) => Refusal | undefined;
  readonly crypto: HandshakeOptions["crypto"];
  readonly dialler: LinkDialler;
  readonly clock: Clock;
  readonly defer: DriverOptions["defer"];
  /** 0 to 1. */
  readonly random: () => number;
  readonly limits: LinkLimits;
  readonly timings: LinkTimings;
  readonly listener: MeshListener;
}

/** Events of a node's links. Never called from within a call of the mesh's owner, except `close`. */
export interface MeshListener {
  /** A link is established. */
  up(link: MeshLink): void;
  /** Any other event of an established link. */
  happened(link: MeshLink, event: ChannelEvent): void;
  /** @param why  `replaced`: another link to the same peer took its place; `up` follows */
  down(link: MeshLink, why: LinkEnd): void;
  /** A connection ended before it became a link. Called for every attempt; the owner logs when the reason changes. */
  failed(attempt: Attempt, error: Error): void;
}

export type LinkEnd =
  | { readonly type: "goodbye" }
  | { readonly type: "replaced" }
  | { readonly type: "lost"; readonly error: Error };

export interface Attempt {
  readonly side: "dial" | "accept";
  readonly address: string;
  /** Expected id of the peer; empty for any. */
  readonly to: string;
}

/** An established link. */
export interface MeshLink {
  readonly peer: NodeIdentity;
  readonly driver: LinkDriver;
  /** The address dialled, or the remote address of an accepted connection. */
  readonly address: string;
  readonly since: Millis;
}

/** A node to keep a link to. */
export interface DialTarget {
  /** `host:port`. */
  readonly address: string;
  /** Expected id of the node; empty when not known yet. */
  readonly to: string;
}

interface Dialling {
  target: DialTarget;
  readonly backoff: Backoff;
  driver: LinkDriver | undefined;
  timer: Timer | undefined;
  /** Id of the node that answered, for a target without an expected id. */
  reached: string;
}

export class Mesh {
  readonly #options: MeshOptions;
  readonly #links = new Map<string, MeshLink>();
  readonly #linkOf = new Map<LinkDriver, MeshLink>();
  readonly #dialling = new Map<string, Dialling>();
  /** Accepted and not yet proved; the listener bounds their number. */
  readonly #strangers = new Set<LinkDriver>();
  readonly #replaced = new WeakSet<MeshLink>();
  #isClosed = false;

  constructor(options: MeshOptions) {
    this.#options = options;
  }

  /** Established links, by the peer's id. */
  get links(): ReadonlyMap<string, MeshLink> {
    return this.#links;
  }

  /**
   * Sets the nodes to keep a link to, by names that the caller chooses. A node that is no longer a target is not dialled
   * again; its established link stays.
   */
  reach(targets: ReadonlyMap<string, DialTarget>): void {
    if (this.#isClosed) return;
    for (const [name, dialling] of this.#dialling) if (!targets.has(name)) this.#stopDialling(name, dialling);
    for (const [name, target] of targets) {
      const known = this.#dialling.get(name);
      if (known === undefined) this.#startDialling(name, target);
      else if (known.target.address !== target.address || known.target.to !== target.to) {
        known.target = target;
        if (known.driver === undefined) this.#dialLater(known);
      }
    }
  }

  /** Id of the node that answered at a dialled address, whether or not its link was kept; undefined before. */
  reachedAt(address: string): string | undefined {
    for (const { target, reached } of this.#dialling.values()) {
      if (target.address === address && reached !== "") return reached;
    }
    return undefined;
  }

  /** Takes an accepted connection. @param address  remote address without the port. @returns receiver of the transport's events */
  accept(transport: LinkTransport, address: string): TransportReceiver {
    const stranger = this.#driver({ type: "accept" }, (event, driver) => this.#onAccepted(address, event, driver));
    stranger.attach(transport);
    this.#strangers.add(stranger);
    if (this.#isClosed) stranger.end(new Error("The mesh is closed"));
    return stranger;
  }

  /** Ends the link to a peer. @param reason  sent to it */
  drop(id: string, reason: string): void {
    this.#links.get(id)?.driver.goodbye(reason);
  }

  /** Says goodbye on every link. May be called twice. */
  close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const [name, dialling] of this.#dialling) this.#stopDialling(name, dialling);
    for (const driver of this.#strangers) driver.end(new Error(reason));
    for (const { driver } of [...this.#links.values()]) driver.goodbye(reason);
  }

  #driver(
    side: { readonly type: "accept" } | { readonly type: "dial"; readonly to: string },
    happened: OnEvent,
  ): LinkDriver {
    const { own, secrets, judge, crypto, clock, defer, limits, timings } = this.#options;
    const handshake = (binding: Uint8Array): HandshakeOptions => ({
      own: own(),
      secrets: secrets(),
      judge,
      crypto,
      binding,
    });
    return new LinkDriver({ side, limits, timings, clock, defer, handshake, happened });
  }

  #startDialling(name: string, target: DialTarget): void {
    const backoff = new Backoff({ ...BACKOFF, random: this.#options.random });
    const dialling: Dialling = { target, backoff, driver: undefined, timer: undefined, reached: target.to };
    this.#dialling.set(name, dialling);
    this.#dial(dialling);
  }

  #stopDialling(name: string, dialling: Dialling): void {
    dialling.timer?.cancel();
    this.#dialling.delete(name);
    if (dialling.driver !== undefined && dialling.driver.link?.peer === undefined) {
      dialling.driver.end(new Error("The link is no longer needed"));
    }
  }

  #dial(dialling: Dialling): void {
    dialling.timer = undefined;
    if (this.#isClosed || dialling.driver !== undefined || this.#links.has(dialling.reached)) return;
    const { address, to } = dialling.target;
    const attempt: Attempt = { side: "dial", address, to };
    const driver = this.#driver({ type: "dial", to }, (event) => this.#onDialled(dialling, attempt, event, driver));
    dialling.driver = driver;
    driver.attach(this.#options.dialler.dial(address, driver));
  }

  #dialLater(dialling: Dialling): void {
    if (this.#isClosed || dialling.timer !== undefined || !this.#isWanted(dialling)) return;
    dialling.timer = this.#options.clock.after(dialling.backoff.next(), () => this.#dial(dialling));
  }

  #isWanted(dialling: Dialling): boolean {
    return [...this.#dialling.values()].includes(dialling);
  }

  #onDialled(dialling: Dialling, attempt: Attempt, event: LinkEvent, driver: LinkDriver): void {
    if (event.type === "established") {
      dialling.backoff.reset();
      dialling.reached = event.peer.id;
      return this.#established(event.peer, driver, attempt.address);
    }
    if (event.type !== "ended") return this.#onLinkEvent(event, driver);
    dialling.driver = undefined;
    // Ended here because the link is there by another way, or the mesh closes: nothing failed.
    if (!this.#linkOf.has(driver) && !this.#isWanted(dialling)) return;
    this.#ended(event.error, driver, attempt);
    if (isSelf(event.error)) return; // the address is this node's own: do not dial it again
    this.#dialLater(dialling);
  }

  #onAccepted(address: string, event: LinkEvent, driver: LinkDriver): void {
    if (event.type === "established") {
      this.#strangers.delete(driver);
      return this.#established(event.peer, driver, address);
    }
    if (event.type !== "ended") return this.#onLinkEvent(event, driver);
    this.#strangers.delete(driver);
    this.#ended(event.error, driver, { side: "accept", address, to: "" });
  }

  /** Of two links between one pair both sides keep the one dialled by the smaller id; of two in the same direction, the newer. */
  #established(peer: NodeIdentity, driver: LinkDriver, address: string): void {
    const link: MeshLink = { peer, driver, address, since: this.#options.clock.now() };
    const before = this.#links.get(peer.id);
    if (before !== undefined) {
      const isSameLife = before.peer.incarnation === peer.incarnation;
      if (isSameLife && this.#isPreferred(before) && !this.#isPreferred(link)) return driver.goodbye("duplicate");
      this.#replaced.add(before);
      before.driver.goodbye("duplicate"); // reports that its channels are lost, then that it is down
    }
    this.#links.set(peer.id, link);
    this.#linkOf.set(driver, link);
    this.#options.listener.up(link);
  }

  #isPreferred({ driver, peer }: MeshLink): boolean {
    return (driver.side === "dial") === this.#options.own().id < peer.id;
  }

  #onLinkEvent(event: ChannelEvent, driver: LinkDriver): void {
    const link = this.#linkOf.get(driver);
    if (link !== undefined) this.#options.listener.happened(link, event);
  }

  #ended(error: Error | undefined, driver: LinkDriver, attempt: Attempt): void {
    const link = this.#linkOf.get(driver);
    if (link === undefined) {
      if (error !== undefined) this.#options.listener.failed(attempt, error);
      return;
    }
    this.#forget(link);
    if (this.#replaced.has(link)) return this.#options.listener.down(link, { type: "replaced" });
    this.#options.listener.down(link, error === undefined ? { type: "goodbye" } : { type: "lost", error });
    for (const dialling of this.#dialling.values()) if (dialling.reached === link.peer.id) this.#dialLater(dialling);
  }

  #forget(link: MeshLink): void {
    if (this.#links.get(link.peer.id) === link) this.#links.delete(link.peer.id);
    this.#linkOf.delete(link.driver);
  }
}

type OnEvent = (event: LinkEvent, driver: LinkDriver) => void;

function isSelf(error: Error | undefined): boolean {
  return error instanceof LinkRefusedError && error.context.reason === "self";
}
