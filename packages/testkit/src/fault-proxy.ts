/** A TCP proxy on loopback that cuts, delays and throttles connections, so that tests need no firewall. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { FaultLane, type LaneFaults, type LaneTotals } from "./fault-lane.ts";

/** `to-target`: bytes from the client; `to-client`: bytes from the target. */
export type Direction = "to-target" | "to-client";
export type Directions = Direction | "both";

export interface ProxyCounters {
  /** Connections opened by clients, including those refused by a cut. */
  readonly accepted: number;
  /** Connections broken or refused by the proxy: by a cut with close, or at healing because bytes were lost. */
  readonly broken: number;
  readonly toTarget: Readonly<LaneTotals>;
  readonly toClient: Readonly<LaneTotals>;
}

/** One connection: a lane in each direction. */
interface Pair {
  readonly client: Socket;
  readonly target: Socket;
  readonly lanes: readonly FaultLane[];
}

export interface ProxyTarget {
  readonly host?: string;
  readonly port: number;
}

/** Disposing it (`await using`) ends all its connections. */
export class FaultProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #target: ProxyTarget;
  readonly #pairs = new Set<Pair>();
  readonly #faults: Readonly<Record<Direction, LaneFaults>> = { "to-target": {}, "to-client": {} };
  readonly #totals: Readonly<Record<Direction, LaneTotals>> = {
    "to-target": { passedBytes: 0, vanishedBytes: 0 },
    "to-client": { passedBytes: 0, vanishedBytes: 0 },
  };
  #acceptedCount = 0;
  #brokenCount = 0;
  #isRefusing = false;

  private constructor(target: ProxyTarget) {
    this.#target = target;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
  }

  /** Listens on a free loopback port and forwards everything to the target. */
  static async start(target: ProxyTarget): Promise<FaultProxy> {
    const proxy = new FaultProxy(target);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once("error", reject);
      proxy.#server.listen(0, "127.0.0.1", resolve);
    });
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connectionCount(): number {
    return this.#pairs.size;
  }

  get counters(): ProxyCounters {
    const { "to-target": toTarget, "to-client": toClient } = this.#totals;
    return { accepted: this.#acceptedCount, broken: this.#brokenCount, toTarget, toClient };
  }

  /** Breaks every connection at both ends, and every new one until `heal`: with RST or FIN. */
  cutWithClose(how: "rst" | "fin" = "rst"): void {
    this.#isRefusing = true;
    for (const pair of [...this.#pairs]) this.#break(pair, how);
  }

  /**
   * Bytes and stream ends are lost while all sockets stay open, new ones included, as with a pulled cable. `heal`
   * resets connections that lost something, since a stream cannot have gaps.
   */
  cutSilently(directions: Directions = "both"): void {
    this.#change(directions, { cut: "vanish" });
  }

  /** Bytes are held, here and in the sender's buffers, and arrive after `heal`: a short outage under TCP. */
  hold(directions: Directions = "both"): void {
    this.#change(directions, { cut: "hold" });
  }

  /** Delays everything that arrives from now on. */
  delay(millis: number, directions: Directions = "both"): void {
    this.#change(directions, { delayMillis: millis });
  }

  /** Per connection and direction. */
  throttle(bytesPerSecond: number, directions: Directions = "both"): void {
    this.#change(directions, { bytesPerSecond });
  }

  /** Ends all faults. */
  heal(): void {
    this.#isRefusing = false;
    for (const pair of [...this.#pairs]) if (pair.lanes.some((lane) => lane.hasHole)) this.#break(pair, "rst");
    this.#change("both", { cut: undefined, delayMillis: undefined, bytesPerSecond: undefined });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const pair of [...this.#pairs]) this.#drop(pair, "fin");
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(client: Socket): void {
    this.#acceptedCount++;
    client.on("error", () => {});
    if (this.#isRefusing) {
      this.#brokenCount++;
      client.resetAndDestroy();
      return;
    }
    const host = this.#target.host ?? "127.0.0.1";
    const target = connect({ host, port: this.#target.port, allowHalfOpen: true, noDelay: true });
    target.on("error", () => {});
    const pair = {
      client,
      target,
      lanes: [this.#lane(client, target, "to-target"), this.#lane(target, client, "to-client")],
    };
    this.#pairs.add(pair);
    for (const socket of [client, target]) socket.on("close", () => this.#forgetIfOver(pair));
  }

  #lane(source: Socket, sink: Socket, direction: Direction): FaultLane {
    return new FaultLane(source, sink, this.#faults[direction], this.#totals[direction]);
  }

  #change(directions: Directions, change: LaneFaults): void {
    for (const direction of ["to-target", "to-client"] as const) {
      if (directions === "both" || directions === direction) Object.assign(this.#faults[direction], change);
    }
    for (const pair of this.#pairs) for (const lane of pair.lanes) lane.wake();
  }

  #break(pair: Pair, how: "rst" | "fin"): void {
    this.#brokenCount++;
    this.#drop(pair, how);
  }

  #drop(pair: Pair, how: "rst" | "fin"): void {
    this.#pairs.delete(pair);
    for (const lane of pair.lanes) lane.stop();
    for (const socket of [pair.client, pair.target]) {
      if (how === "fin") socket.destroy();
      else if (!socket.destroyed) socket.resetAndDestroy();
    }
  }

  #forgetIfOver(pair: Pair): void {
    if (pair.client.destroyed && pair.target.destroyed) this.#pairs.delete(pair);
  }
}
