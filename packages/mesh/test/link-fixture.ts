/** Two ends of a link in one test, joined by hand: what one owes the other gets, in pieces of any size. */
import { createHmac, randomBytes } from "node:crypto";
import type { Millis } from "@sluice/base/brand";
import type { Crypto } from "@sluice/base/crypto";
import type { HandshakeOptions } from "@sluice/mesh/handshake";
import type { Incarnation, NodeIdentity } from "@sluice/mesh/hello";
import { DEFAULT_LINK_LIMITS, DEFAULT_LINK_TIMINGS, type LinkLimits } from "@sluice/mesh/limits";
import { Link, type LinkOptions } from "@sluice/mesh/link";
import type { LinkEvent } from "@sluice/mesh/link-event";

export const CRYPTO: Crypto = {
  randomBytes: (count) => new Uint8Array(randomBytes(count)),
  hmacSha256: (key, bytes) => new Uint8Array(createHmac("sha256", key).update(bytes).digest()),
};

export function identity(id: string, more: Partial<NodeIdentity> = {}): NodeIdentity {
  return { id, incarnation: 7 as Incarnation, purpose: "node", facts: new Map([["roles", "origin,edge"]]), ...more };
}

export function handshakeOptions(id: string, more: Partial<HandshakeOptions> = {}): HandshakeOptions {
  return {
    own: identity(id),
    secrets: [Buffer.from("a secret of the tests")],
    binding: new Uint8Array(0),
    crypto: CRYPTO,
    judge: () => undefined,
    ...more,
  };
}

export interface LinkPair {
  readonly a: Link;
  readonly b: Link;
  readonly events: { readonly a: LinkEvent[]; readonly b: LinkEvent[] };
  now: number;
  /** Moves what is owed until nothing is, or one side has ended. */
  pump(): void;
}

export interface PairOptions {
  readonly a?: Partial<HandshakeOptions>;
  readonly b?: Partial<HandshakeOptions>;
  readonly to?: string;
  readonly limits?: Partial<LinkLimits>;
  /** Cuts every output into pieces of this size. */
  readonly pieceBytes?: number;
}

/** `a` dialled `b`. */
export function linkPair({ a = {}, b = {}, to = "b", limits = {}, pieceBytes }: PairOptions = {}): LinkPair {
  const rest = {
    limits: { ...DEFAULT_LINK_LIMITS, ...limits },
    timings: DEFAULT_LINK_TIMINGS,
    now: 0 as Millis,
    outputReady: () => {},
  };
  const options = (side: LinkOptions["side"], id: string, more: Partial<HandshakeOptions>): LinkOptions => ({
    side,
    handshake: handshakeOptions(id, more),
    ...rest,
  });
  const pair: LinkPair = {
    a: new Link(options({ type: "dial", to }, "a", a)),
    b: new Link(options({ type: "accept" }, "b", b)),
    events: { a: [], b: [] },
    now: 0,
    pump() {
      for (let isMoving = true; isMoving; ) {
        isMoving = move(pair.a, pair.b, pair.now, pieceBytes);
        isMoving = move(pair.b, pair.a, pair.now, pieceBytes) || isMoving;
      }
      takeEvents(pair.a, pair.events.a);
      takeEvents(pair.b, pair.events.b);
    },
  };
  return pair;
}

/** @returns whether there was anything to move */
export function move(from: Link, to: Link, now: number, pieceBytes = Number.POSITIVE_INFINITY): boolean {
  let hasMoved = false;
  for (let bytes = from.nextOutput(now as Millis); bytes !== undefined; bytes = from.nextOutput(now as Millis)) {
    hasMoved = true;
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      to.receive(bytes.slice(at, Math.min(bytes.length, at + pieceBytes)), now as Millis);
    }
  }
  return hasMoved;
}

function takeEvents(link: Link, into: LinkEvent[]): void {
  for (let event = link.nextEvent(); event !== undefined; event = link.nextEvent()) into.push(event);
}

export function eventsOf<Type extends LinkEvent["type"]>(
  events: readonly LinkEvent[],
  type: Type,
): Extract<LinkEvent, { readonly type: Type }>[] {
  return events.filter((event): event is Extract<LinkEvent, { readonly type: Type }> => event.type === type);
}
