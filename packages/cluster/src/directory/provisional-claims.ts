/** Announces claims that the engine has not confirmed to every linked node; receivers treat the key as taken. */
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { Channel } from "@sluice/mesh/channel";
import type { ChannelEvent } from "@sluice/mesh/link-event";
import type { LinkService } from "@sluice/mesh/link-services";
import type { LinkEnd, MeshLink } from "@sluice/mesh/mesh";
import { DIRECTORY_LIMITS } from "./limits.ts";
import { decode, decodeHomeFields, encode, type HomeFields, type HomeKind, isText } from "./rows.ts";

/** Messages are UTF-8 JSON: `{kind, key, claim}`; without `claim` the announcement is withdrawn. */
export const DIRECTORY_SERVICE = "directory";

export interface ProvisionalClaim {
  readonly kind: HomeKind;
  readonly key: string;
  readonly fields: HomeFields;
}

export interface ProvisionalClaimsOptions {
  readonly clock: Clock;
  /** How long a peer's claims are kept after its link ended: as long as a lease would last. */
  readonly remember: Millis;
  /** The announced home of a key changed. */
  readonly changed: (kind: HomeKind, key: string) => void;
}

interface Peer {
  channel: Channel | undefined;
  readonly claims: Map<string, ProvisionalClaim>;
  forgetting: Timer | undefined;
}

/** Add it to the node's `LinkServices`. */
export class ProvisionalClaims implements LinkService, Disposable {
  readonly names = [DIRECTORY_SERVICE];
  /** Claims ignored because the peer announced too many. */
  passedOverCount = 0;
  readonly #options: ProvisionalClaimsOptions;
  readonly #own = new Map<string, ProvisionalClaim>();
  readonly #peers = new Map<string, Peer>();

  constructor(options: ProvisionalClaimsOptions) {
    this.#options = options;
  }

  /** The announced claim of a key; any of them if there are several. */
  find(kind: HomeKind, key: string): HomeFields | undefined {
    for (const { claims } of this.#peers.values()) {
      const claim = claims.get(nameOf(kind, key));
      if (claim !== undefined) return claim.fields;
    }
    return undefined;
  }

  /** This node is provisional home from now on. */
  tell(claim: ProvisionalClaim): void {
    this.#own.set(nameOf(claim.kind, claim.key), claim);
    for (const { channel } of this.#peers.values()) channel?.send(encodeClaim(claim));
  }

  /** The claim is confirmed, lost or given up; no effect unless it was announced. */
  withdraw(kind: HomeKind, key: string): void {
    if (!this.#own.delete(nameOf(kind, key))) return;
    for (const { channel } of this.#peers.values()) channel?.send(encode({ kind, key }));
  }

  up(link: MeshLink): void {
    this.#forget(link.peer.id); // the peer announces its present claims anew
    const peer: Peer = { channel: undefined, claims: new Map(), forgetting: undefined };
    this.#peers.set(link.peer.id, peer);
    this.#open(peer, link);
  }

  happened(link: MeshLink, event: ChannelEvent): void {
    const peer = this.#peers.get(link.peer.id);
    if (peer === undefined) return;
    if (event.type === "closed" && event.channel === peer.channel) peer.channel = undefined;
    // It refused this node's channel before it had a directory itself.
    if (event.type === "opened" && peer.channel === undefined) this.#open(peer, link);
    if (event.type === "message") this.#onMessage(peer, event.message);
  }

  #open(peer: Peer, link: MeshLink): void {
    peer.channel = link.driver.link?.openChannel(DIRECTORY_SERVICE, { class: "state" });
    for (const claim of this.#own.values()) peer.channel?.send(encodeClaim(claim));
  }

  #onMessage(peer: Peer, message: Uint8Array): void {
    const { kind, key, claim } = decode(message);
    if ((kind !== "stream" && kind !== "object") || !isText(key)) return; // of a later version
    const fields =
      typeof claim === "object" && claim !== null ? decodeHomeFields(claim as Record<string, unknown>) : undefined;
    const name = nameOf(kind, key);
    if (fields === undefined) peer.claims.delete(name);
    else if (peer.claims.size < DIRECTORY_LIMITS.heardClaims || peer.claims.has(name))
      peer.claims.set(name, { kind, key, fields });
    else this.passedOverCount++;
    this.#options.changed(kind, key);
  }

  down(link: MeshLink, why: LinkEnd): void {
    const peer = this.#peers.get(link.peer.id);
    if (peer === undefined || why.type === "replaced") return;
    peer.channel = undefined;
    peer.forgetting = this.#options.clock.after(this.#options.remember, () => this.#forget(link.peer.id));
  }

  [Symbol.dispose](): void {
    for (const { forgetting } of this.#peers.values()) forgetting?.cancel();
    this.#peers.clear();
  }

  #forget(id: string): void {
    const peer = this.#peers.get(id);
    peer?.forgetting?.cancel();
    this.#peers.delete(id);
    for (const { kind, key } of peer?.claims.values() ?? []) this.#options.changed(kind, key);
  }
}

function encodeClaim({ kind, key, fields }: ProvisionalClaim): Uint8Array {
  return encode({ kind, key, claim: fields });
}

function nameOf(kind: HomeKind, key: string): string {
  return `${kind}/${key}`;
}
