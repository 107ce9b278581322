/** Decides at accept, before a byte is read, whether one more connection fits. */
import type { Socket } from "node:net";
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import type { Counter, Meter } from "@sluice/base/meter";
import { derived } from "@sluice/base/derived";
import { addressGroup } from "@sluice/runtime/sockets/ip-address";
import { NetworkSet } from "@sluice/runtime/sockets/network-set";
import { GUARD_LIMITS } from "./limits.ts";
import { TokenBuckets } from "./rate-limit.ts";

export interface ConnectionLimits {
  /** Connections open at once, of every kind and from anywhere. 0: no limit. Configured by `limits.connections`. */
  readonly connections: number;
  /** Connections open at once from one address; an IPv6 /64 counts as one. 0: no limit. Configured by `limits.connectionsPerAddress`. */
  readonly connectionsPerAddress: number;
  /** New connections a second from one address, after a burst of twice as many. 0: no limit. Configured by `limits.connectsPerSecondPerAddress`. */
  readonly connectsPerSecondPerAddress: number;
  /** Networks that the limits per address leave alone. Configured by `limits.exempt`. */
  readonly exempt: readonly string[];
}

export interface ConnectionLimiterPorts {
  readonly limits: () => ConnectionLimits;
  /** The address rules; `guard.admitAddress`. */
  readonly admitAddress: (address: string) => boolean;
  readonly clock: Clock;
  readonly meter: Meter;
  readonly log: Log;
}

export type ConnectionVerdict = "ok" | "too-many-connections" | "too-many-from-address" | "too-fast" | "address-denied";

const REFUSALS = ["too-many-connections", "too-many-from-address", "too-fast", "address-denied"] as const;

export class ConnectionLimiter {
  readonly #ports: ConnectionLimiterPorts;
  readonly #exempt: () => NetworkSet;
  readonly #rates: () => TokenBuckets;
  readonly #open = new Map<string, number>();
  readonly #refused: ReadonlyMap<ConnectionVerdict, Counter>;
  #total = 0;

  constructor(ports: ConnectionLimiterPorts) {
    this.#ports = ports;
    this.#exempt = derived(ports.limits, ({ exempt }) => new NetworkSet(exempt));
    this.#rates = derived(ports.limits, ({ connectsPerSecondPerAddress: perSecond }) => {
      return new TokenBuckets({ perSecond, burst: perSecond * 2, mostBuckets: GUARD_LIMITS.rateAddresses });
    });
    this.#refused = new Map(
      REFUSALS.map((reason) => [
        reason,
        ports.meter.counter("connections_refused_total", "Connections refused at accept, by reason", { reason }),
      ]),
    );
  }

  get connectionCount(): number {
    return this.#total;
  }

  /** Ends a connection that is refused, before a byte is read; another gives its place back when it closes. */
  accept(socket: Socket): "open" | "refused" {
    const address = socket.remoteAddress ?? "";
    if (this.admit(address) !== "ok") {
      socket.destroy();
      return "refused";
    }
    socket.once("close", () => this.release(address));
    return "open";
  }

  /** Counts the connection when the answer is `ok`; then, and only then, `release` must follow once. */
  admit(address: string): ConnectionVerdict {
    const group = addressGroup(address);
    const admission = this.#judge(address, group);
    if (admission !== "ok") {
      this.#refused.get(admission)?.add();
      this.#ports.log.info({ address, reason: admission }, "Connection refused");
      return admission;
    }
    this.#total += 1;
    this.#open.set(group, (this.#open.get(group) ?? 0) + 1);
    return "ok";
  }

  #judge(address: string, group: string): ConnectionVerdict {
    const { clock } = this.#ports;
    const limits = this.#ports.limits();
    if (!this.#ports.admitAddress(address)) return "address-denied";
    if (limits.connections > 0 && this.#total >= limits.connections) return "too-many-connections";
    if (this.#exempt().has(address)) return "ok";
    if (limits.connectionsPerAddress > 0 && (this.#open.get(group) ?? 0) >= limits.connectionsPerAddress)
      return "too-many-from-address";
    return limits.connectsPerSecondPerAddress === 0 || this.#rates().take(group, clock.now()) ? "ok" : "too-fast";
  }

  release(address: string): void {
    const group = addressGroup(address);
    const count = this.#open.get(group);
    if (count === undefined) return;
    this.#total -= 1;
    if (count === 1) this.#open.delete(group);
    else this.#open.set(group, count - 1);
  }
}
