/** Limits number and time of connections that have not identified themselves, before any protocol reads a byte. */
import type { Socket } from "node:net";
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { Counter, Meter } from "@sluice/base/meter";
import { addressGroup } from "./ip-address.ts";
import { derived } from "@sluice/base/derived";
import { NetworkSet } from "./network-set.ts";

export interface StrangerPorts {
  readonly limits: StrangerLimits;
  readonly clock: Clock;
  readonly meter: Meter;
}

/** For one listener, or for several that share a limit. */
export interface StrangerLimits {
  /** Connections not yet identified, from all addresses. 0: no limit. */
  readonly strangers: number;
  /** As `strangers`, from one address; an IPv6 /64 counts as one. 0: no limit. */
  readonly strangersPerAddress: number;
  /** From the connection until it is identified; slow bytes do not prolong it. */
  readonly handshake: Millis;
  /** Networks exempt from the limit per address. */
  readonly exempt: readonly string[];
}

/** Where the time limit is enforced: `here`, or `elsewhere` by the protocol, which can answer a late peer. */
export type Deadline = "here" | "elsewhere";

/** Disables Node's own timeout, which ends no connection and restarts with every byte; `Strangers` limits the time instead. */
export const NO_TLS_TIMEOUT = { handshakeTimeout: 2 ** 31 - 1 };

type EndReason = "overdue" | "crowded";

interface Stranger {
  readonly socket: Socket;
  readonly group: string;
  readonly key: string;
  readonly listener: string;
  timer: Timer | undefined;
}

/**
 * A new connection is always admitted: the oldest stranger of its own address, or of the address with the most, is
 * ended for it. So silent connections cannot keep others out.
 */
export class Strangers implements Disposable {
  readonly #ports: StrangerPorts;
  readonly #exempt: () => NetworkSet;
  readonly #byKey = new Map<string, Stranger>();
  /** Oldest first. */
  readonly #byGroup = new Map<string, Set<Stranger>>();

  constructor(ports: StrangerPorts) {
    this.#ports = ports;
    this.#exempt = derived(
      () => ports.limits.exempt,
      (exempt) => new NetworkSet(exempt),
    );
  }

  get count(): number {
    return this.#byKey.size;
  }

  /** @param socket  as accepted, with nothing read yet */
  admit(socket: Socket, { listener, deadline }: { readonly listener: string; readonly deadline: Deadline }): void {
    const { limits, clock } = this.#ports;
    const address = socket.remoteAddress;
    if (address === undefined) return void socket.destroy(); // it has closed already
    const stranger: Stranger = { socket, group: addressGroup(address), key: keyOf(socket), listener, timer: undefined };
    this.#makeRoom(stranger.group, address);
    if (deadline === "here") stranger.timer = clock.after(limits.handshake, () => this.#end(stranger, "overdue"));
    this.#byKey.set(stranger.key, stranger);
    const group = this.#byGroup.get(stranger.group);
    if (group === undefined) this.#byGroup.set(stranger.group, new Set([stranger]));
    else group.add(stranger);
    socket.once("close", () => this.#forget(stranger));
  }

  /** From now on its protocol limits the time; it still counts as a stranger. */
  timeElsewhere(socket: Socket): void {
    this.#byKey.get(keyOf(socket))?.timer?.cancel();
  }

  /** It no longer counts. @param socket  the accepted one, or the TLS socket on top; may be called again */
  known(socket: Socket): void {
    const stranger = this.#byKey.get(keyOf(socket));
    if (stranger !== undefined) this.#forget(stranger);
  }

  /** Ends all of them. */
  [Symbol.dispose](): void {
    for (const stranger of [...this.#byKey.values()]) {
      this.#forget(stranger);
      stranger.socket.destroy();
    }
  }

  #makeRoom(group: string, address: string): void {
    const { strangers, strangersPerAddress } = this.#ports.limits;
    const own = this.#byGroup.get(group);
    if (strangersPerAddress > 0 && (own?.size ?? 0) >= strangersPerAddress && !this.#exempt().has(address))
      this.#endOldest(own);
    if (strangers > 0 && this.#byKey.size >= strangers) this.#endOldest(this.#largestGroup());
  }

  #largestGroup(): Set<Stranger> | undefined {
    let largest: Set<Stranger> | undefined;
    for (const group of this.#byGroup.values()) if (group.size > (largest?.size ?? 0)) largest = group;
    return largest;
  }

  #endOldest(group: Set<Stranger> | undefined): void {
    for (const oldest of group ?? []) return this.#end(oldest, "crowded");
  }

  #end(stranger: Stranger, reason: EndReason): void {
    this.#forget(stranger);
    this.#counterOf(stranger.listener, reason).add();
    stranger.socket.destroy();
  }

  #forget(stranger: Stranger): void {
    stranger.timer?.cancel();
    if (this.#byKey.get(stranger.key) === stranger) this.#byKey.delete(stranger.key);
    const group = this.#byGroup.get(stranger.group);
    group?.delete(stranger);
    if (group?.size === 0) this.#byGroup.delete(stranger.group);
  }

  #counterOf(listener: string, reason: EndReason): Counter {
    return this.#ports.meter.counter(
      "handshakes_cut_total",
      "Connections ended because their handshake took too long or they made room for newer ones, by listener and reason",
      { listener, reason },
    );
  }
}

/** Both addresses of the connection: equal for an accepted socket and the TLS socket on top. */
function keyOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
