/** Identities of the members at the other ends of the links, and which of them this member accepts. */
import type { Log } from "@sluice/base/log";
import { REFUSALS, type Refusal } from "@sluice/mesh/errors";
import type { NodeIdentity } from "@sluice/mesh/hello";
import { MemberFrameError } from "./member-calls.ts";
import { factsOf, type MemberIdentity, memberOf, type OwnMember } from "./member-identity.ts";
import type { LinkFacts } from "./member-links.ts";
import type { PeerPins } from "./peer-pins.ts";

/** One side refuses the other; the link between their nodes stays. */
export interface MemberRefusal {
  readonly member: string;
  readonly by: "this member" | "the other member";
  readonly reason: Refusal;
  /** Advice to an operator. */
  readonly advice: string;
}

const WANTS_PLACE = "place";

interface Acquaintance {
  readonly identity: MemberIdentity;
  /** Why this member refuses the other. */
  readonly refusal: Refusal | undefined;
  /** Why the other member refuses this one. */
  readonly refusalThere: Refusal | undefined;
}

export interface IntroductionsOptions {
  readonly own: OwnMember;
  readonly peers: PeerPins;
  readonly log: Log;
  /** @returns false when it could not be sent */
  readonly send: (to: string, notice: Uint8Array) => boolean;
  /** A member was accepted, or its identity changed. */
  readonly introduced: (peer: MemberIdentity) => void;
  readonly refusalsChanged: () => void;
  readonly placeWanted: (peer: MemberIdentity) => void;
}

/**
 * The hello of a link carries a member's identity at that time; a notice repeats it after a change: when a joiner
 * learns its cluster, when the clients' port opens. If a node also uses its links for other purposes, a foreign member
 * is refused by a notice instead of the end of the link.
 */
export class Introductions {
  readonly #options: IntroductionsOptions;
  readonly #known = new Map<string, Acquaintance>();
  /** Members that received this member's identity since their link was established. */
  readonly #told = new Set<string>();

  constructor(options: IntroductionsOptions) {
    this.#options = options;
  }

  /** Whether this member and the other accept each other. */
  accepts(id: string): boolean {
    const known = this.#known.get(id);
    return known !== undefined && known.refusal === undefined && known.refusalThere === undefined;
  }

  /** As the member announced it. */
  identityOf(id: string): MemberIdentity | undefined {
    return this.#known.get(id)?.identity;
  }

  get refusals(): readonly MemberRefusal[] {
    const self = this.#options.own.identity.id;
    return [...this.#known].flatMap(([member, { refusal, refusalThere }]): readonly MemberRefusal[] => {
      const reason = refusal ?? refusalThere;
      if (reason === undefined) return [];
      const by = refusal === undefined ? "the other member" : "this member";
      return [{ member, by, reason, advice: adviceOn(reason, by === "this member" ? member : self) }];
    });
  }

  up(peer: NodeIdentity): void {
    this.down(peer.id);
    const identity = memberOf(peer);
    if (identity !== undefined) this.#meet(identity, undefined);
    if (!this.#told.has(peer.id)) this.#tell(peer.id);
  }

  down(id: string): void {
    this.gone(id);
    this.#told.delete(id);
  }

  /** A notice could not be delivered: the node has no member, or not yet. */
  missed(id: string): void {
    this.#told.delete(id);
  }

  /** The member stopped; the link to its node stays. */
  gone(id: string): void {
    const wasAccepted = this.accepts(id);
    const wasKnown = this.#known.delete(id);
    if (wasKnown && !wasAccepted) this.#options.refusalsChanged();
  }

  /** @throws {MemberFrameError} */
  receive(id: string, notice: Uint8Array): void {
    const facts = decodeNotice(notice);
    const identity = memberOf({ id, facts });
    const refusal = facts.get("refused");
    if (identity === undefined || (refusal !== undefined && !isRefusal(refusal))) {
      throw new MemberFrameError({ detail: "notice that is no member's" });
    }
    this.#meet(identity, refusal);
    if (!this.#told.has(id)) this.#tell(id);
    const isAskingForPlace = facts.get("wants") === WANTS_PLACE && this.#known.get(id)?.refusal === "other-store";
    if (isAskingForPlace) this.#options.placeWanted(identity);
  }

  askForPlace(): void {
    for (const [id, { refusalThere }] of this.#known) if (refusalThere === "other-store") this.#tell(id, WANTS_PLACE);
  }

  /** This member's own identity changed. */
  tellAll(): void {
    for (const id of this.#told) this.#tell(id);
  }

  /** The facts by which members are judged changed. */
  judgeAll(): void {
    for (const { identity, refusalThere } of this.#known.values()) this.#meet(identity, refusalThere);
  }

  #meet(identity: MemberIdentity, refusalThere: Refusal | undefined): void {
    const { peers, own, introduced } = this.#options;
    const { id } = identity;
    const before = this.#known.get(id);
    const refusal = peers.judge(identity);
    this.#known.set(id, { identity, refusal, refusalThere });
    if (refusal !== before?.refusal) this.#tell(id);
    if (refusal !== before?.refusal || refusalThere !== before?.refusalThere) this.#refusalChanged(id);
    if (refusal !== undefined) return;
    const { clusterId } = own.identity;
    peers.met(identity);
    if (!Buffer.from(clusterId).equals(own.identity.clusterId)) this.tellAll();
    introduced(identity);
  }

  #tell(id: string, wants?: typeof WANTS_PLACE): void {
    const facts = new Map(factsOf(this.#options.own.identity));
    if (wants !== undefined) facts.set("wants", wants);
    const refusal = this.#known.get(id)?.refusal;
    if (refusal !== undefined) facts.set("refused", refusal);
    this.#told.add(id);
    if (!this.#options.send(id, encodeNotice(facts))) this.#told.delete(id);
  }

  #refusalChanged(id: string): void {
    const { log, refusalsChanged } = this.#options;
    const refused = this.refusals.find(({ member }) => member === id);
    if (refused !== undefined) log.warn({ ...refused, reason: saysOf(refused.reason) }, "Members refuse each other");
    refusalsChanged();
  }
}

function encodeNotice(facts: LinkFacts): Uint8Array {
  return Buffer.from(JSON.stringify(Object.fromEntries(facts)));
}

/** @throws {MemberFrameError} */
function decodeNotice(bytes: Uint8Array): LinkFacts {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString());
    return new Map(Object.entries(value as object).map(([name, fact]) => [name, String(fact)]));
  } catch {
    throw new MemberFrameError({ detail: "notice that cannot be read" });
  }
}

/** @param who  the refused member */
function adviceOn(reason: Refusal, who: string): string {
  switch (reason) {
    case "other-store":
      return `if the former disk of "${who}" is lost: sluice cluster replace ${who}`;
    case "wrong-cluster":
      return "to let one join the other's cluster, stop it and set its store aside: sluice cluster set-aside";
    case "version":
      return "run releases that speak the same version of the members' messages";
    default:
      return "";
  }
}

const REASONS = Object.values(REFUSALS);

function isRefusal(text: string): text is Refusal {
  return REASONS.some(({ reason }) => reason === text);
}

function saysOf(refusal: Refusal): string {
  return REASONS.find(({ reason }) => reason === refusal)?.says ?? refusal;
}
