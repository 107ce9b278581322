/** Reports links and nodes that come and go: to the log, the event stream and the counters. */
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import type { Meter } from "@sluice/base/meter";
import { WireError } from "@sluice/bytes/wire-error";
import type { AdminEvent } from "@sluice/client/admin-contract";
import { LinkRefusedError } from "@sluice/mesh/errors";
import type { LinkService } from "@sluice/mesh/link-services";
import type { MembershipChange } from "@sluice/mesh/membership/membership-view";
import type { NodeRecord } from "@sluice/mesh/membership/node-record";
import type { Attempt, LinkEnd, MeshLink } from "@sluice/mesh/mesh";
import { parseAddress } from "@sluice/runtime/sockets/host-and-port";

export interface LinkNotesOptions {
  readonly self: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  readonly tell: (event: AdminEvent) => void;
}

/** Reasons remembered for addresses without a link; more than any cluster has. */
const MOST_TROUBLES = 4_096;
/** A refusal is logged again after this; a refused node dials each few seconds, and an operator looks at the last hour. */
const REFUSAL_AGAIN = 600_000 as Millis;

export class LinkNotes implements LinkService {
  readonly names: readonly string[] = [];
  readonly #options: LinkNotesOptions;
  /** Incarnations of the peers reported as linked. */
  readonly #linked = new Map<string, number>();
  /** Why there is no link, by address: logged when it changes, not for every attempt. */
  readonly #troubles = new Map<string, string>();
  /** What was refused here, by host and reason. */
  readonly #refused = new Map<string, { readonly at: Millis; more: number }>();
  #hasTwin = false;

  constructor(options: LinkNotesOptions) {
    this.#options = options;
  }

  /** Does not report a link that replaces another to the same process. */
  up({ peer, driver, address }: MeshLink): void {
    const { log, meter, tell } = this.#options;
    this.#troubles.delete(address);
    if (this.#linked.get(peer.id) === peer.incarnation) return;
    if (this.#linked.has(peer.id)) this.#tellDown(peer.id, "restarted");
    this.#linked.set(peer.id, peer.incarnation);
    meter.counter("cluster_links_opened_total", "Links to other nodes that were established").add();
    log.info({ peer: peer.id, address, side: driver.side }, "Linked with node");
    tell({ type: "link-up", at: this.#now(), peer: peer.id, direction: driver.side === "dial" ? "out" : "in" });
  }

  happened(): void {}

  down({ peer, address }: MeshLink, why: LinkEnd): void {
    if (why.type === "replaced" || !this.#linked.delete(peer.id)) return;
    const { log, meter } = this.#options;
    const reason = why.type === "lost" ? textOf(why.error) : "goodbye";
    meter.counter("cluster_links_lost_total", "Links to other nodes that ended, by how", { how: why.type }).add();
    if (why.type === "lost") this.#countRefusal(why.error);
    log[why.type === "lost" ? "warn" : "info"]({ peer: peer.id, address, reason }, "Link to node ended");
    this.#tellDown(peer.id, reason);
  }

  /** A connection ended before it became a link. */
  failed({ side, address, to }: Attempt, error: Error): void {
    const { log, meter } = this.#options;
    const isRefusal = this.#countRefusal(error);
    if (isOwnAddress(error)) return log.debug({ address, side }, "A seed is this node itself");
    const reason = textOf(error);
    if (side === "accept") {
      const about = { address, reason, ...(error instanceof WireError && { code: error.code }) };
      return isRefusal
        ? this.#logRefusal(about)
        : log.debug(about, "A connection to the cluster port ended before it was a link");
    }
    meter.counter("cluster_dials_failed_total", "Failed attempts to link with a node").add();
    if (this.#troubles.get(address) === reason) return;
    if (this.#troubles.size >= MOST_TROUBLES) this.#troubles.clear();
    this.#troubles.set(address, reason);
    const advice = isOtherCluster(error) && { advice: SET_ASIDE };
    log.warn({ address, reason, ...(to !== "" && { peer: to }), ...advice }, "No link to node");
  }

  /** A TLS handshake failed. */
  tlsFailed(error: Error, address: string): void {
    const { log, meter } = this.#options;
    meter.counter("tls_failures_total", "TLS handshakes that failed", { listener: "cluster" }).add();
    log.warn({ address, reason: textOf(error) }, "Refused a connection to the cluster port");
  }

  changed(change: MembershipChange): void {
    const { type, row } = change;
    const { log, tell, self } = this.#options;
    const { id, incarnation } = row.record;
    if (type === "changed" || id === self) return;
    const at = this.#now();
    const reason = change.type === "left" ? { reason: change.why } : {};
    log[type === "suspect" || type === "dead" ? "warn" : "info"]({ peer: id, incarnation, ...reason }, WORDS[type]);
    if (change.type === "left") tell({ type: "node-left", at, id, incarnation, reason: change.why });
    else tell({ type: `node-${change.type as "joined"}`, at, id, incarnation });
  }

  /** Another process announces this node's id. */
  twin({ addresses, incarnation }: NodeRecord): void {
    if (this.#hasTwin) return;
    this.#hasTwin = true;
    this.#options.log.error(
      { peer: this.#options.self, address: addresses["cluster"], incarnation },
      "Another process runs under the id of this node: give one of the two another node.id",
    );
  }

  /** Once for a host and a reason; later ones are counted into the next line. */
  #logRefusal(about: { readonly address: string; readonly reason: string }): void {
    const { clock, log } = this.#options;
    const key = `${parseAddress(about.address)?.host ?? about.address} ${about.reason}`;
    const known = this.#refused.get(key);
    if (known !== undefined && clock.now() - known.at < REFUSAL_AGAIN) return void known.more++;
    if (this.#refused.size >= MOST_TROUBLES) this.#refused.clear();
    this.#refused.set(key, { at: clock.now(), more: 0 });
    const since = known !== undefined && known.more > 0 && { alsoRefused: known.more };
    log.warn({ ...about, ...since }, "Refused a connection to the cluster port");
  }

  #countRefusal(error: Error): boolean {
    if (!(error instanceof WireError)) return false;
    const labels =
      error instanceof LinkRefusedError
        ? { reason: error.context.reason, by: error.context.by === "this side" ? "here" : "there" }
        : { reason: "malformed", by: "here" };
    this.#options.meter
      .counter("cluster_refusals_total", "Links and connections refused, by reason and side", labels)
      .add();
    return true;
  }

  #tellDown(peer: string, reason: string): void {
    this.#options.tell({ type: "link-down", at: this.#now(), peer, reason });
  }

  #now(): string {
    return new Date(this.#options.clock.wall()).toISOString();
  }
}

const WORDS = {
  joined: "Node joined",
  suspect: "Node is suspect: no node hears it",
  back: "Node is heard again",
  left: "Node left",
  dead: "Node is dead",
} as const;

const SET_ASIDE = "if this node is to leave its cluster for that one: stop it, sluice cluster set-aside, start it";

function isOtherCluster(error: Error): boolean {
  return error instanceof LinkRefusedError && error.context.reason === "wrong-cluster";
}

function isOwnAddress(error: Error): boolean {
  return error instanceof LinkRefusedError && error.context.reason === "self";
}

/** Several addresses that fail together give one error with an empty message. */
function textOf(error: Error): string {
  return error.message || ((error as NodeJS.ErrnoException).code ?? error.name);
}
