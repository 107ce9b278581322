/** Connections over the simulated network for code that takes them as a port: dialled by name, broken by cuts. */
import type { Millis } from "@sluice/base/brand";
import type { LinkDialler, LinkTransport, TransportReceiver } from "@sluice/mesh/transport";
import type { SimClock } from "./sim-clock.ts";
import type { SimEndpoint, SimEvent, SimNetwork } from "./sim-network.ts";

/** Identifies one end of a connection: a node that dials itself has both ends. */
type EndId = string;

/** A packet between two nodes, for one end of a connection. */
export type SimPacket =
  | { readonly type: "dial"; readonly to: EndId }
  | { readonly type: "answer"; readonly to: EndId; readonly isAccepted: boolean }
  | { readonly type: "bytes"; readonly to: EndId; readonly bytes: Uint8Array }
  | { readonly type: "end"; readonly to: EndId };

export interface SimHostOptions {
  readonly name: string;
  readonly network: SimNetwork<SimPacket>;
  readonly clock: SimClock;
  /** Accepts connections; undefined if the node does not listen. */
  readonly accept: ((transport: LinkTransport, from: string) => TransportReceiver) | undefined;
  /** Milliseconds that everything of a connection takes beside the network's own, drawn once for each: connections overtake each other. */
  readonly skew?: () => number;
  /** Bytes per millisecond that a connection sends; the rest waits in `queuedBytes`. */
  readonly bytesPerMilli?: number;
}

/** Timeout of a connection attempt without any answer, not even a refusal, as real diallers have. */
const CONNECT_WITHIN = 1_000 as Millis;

/** One node's connections. Add it to the network as the node's endpoint. */
export class SimHost implements LinkDialler, SimEndpoint<SimPacket> {
  readonly #options: SimHostOptions;
  readonly #connections = new Map<EndId, SimConnection>();
  #dialCount = 0;

  constructor(options: SimHostOptions) {
    this.#options = options;
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** @param address  `name` or `name:port` */
  dial(address: string, receiver: TransportReceiver): LinkTransport {
    const to = address.split(":")[0] as string;
    const { name, clock } = this.#options;
    // Unique across restarts of a node: a packet for an earlier life must not be delivered.
    const id = `${name}>${to}#${clock.now()}.${this.#dialCount++}`;
    const connection = this.#add({ own: `${id} dialled`, far: `${id} accepted`, peer: to }, receiver);
    clock.after(connection.skew, () => {
      if (this.#connections.has(connection.id)) this.#send(to, { type: "dial", to: `${id} accepted` });
    });
    clock.after(CONNECT_WITHIN, () => {
      if (!connection.isOpen) this.#close(connection, new Error("Connection timed out"));
    });
    return connection;
  }

  receive(event: SimEvent<SimPacket>): void {
    if (event.type === "closed") return this.#breakAll(event.peer);
    if (event.type === "message") this.#onPacket(event.from, event.message);
  }

  #onPacket(from: string, packet: SimPacket): void {
    if (packet.type === "dial") return this.#onDial(from, packet.to);
    const connection = this.#connections.get(packet.to);
    if (connection === undefined) return;
    if (packet.type === "bytes") connection.receiver.received(packet.bytes);
    else if (packet.type === "end") this.#close(connection, undefined);
    else if (packet.isAccepted) connection.open();
    else this.#close(connection, new Error("Connection refused"));
  }

  #onDial(from: string, own: EndId): void {
    const { accept } = this.#options;
    const far = own.replace("accepted", "dialled");
    this.#send(from, { type: "answer", to: far, isAccepted: accept !== undefined });
    if (accept === undefined) return;
    const connection = this.#add({ own, far, peer: from });
    connection.receiver = accept(connection, from);
    connection.open();
  }

  #add(ends: SimEnds, receiver?: TransportReceiver): SimConnection {
    const { clock, bytesPerMilli = Number.POSITIVE_INFINITY } = this.#options;
    const skew = (this.#options.skew?.() ?? 0) as Millis;
    const send = (packet: SimPacket): void => this.#send(ends.peer, packet);
    const connection = new SimConnection({
      ...ends,
      clock,
      skew,
      bytesPerMilli,
      send: skew === 0 ? send : (packet) => void clock.after(skew, () => send(packet)),
      ended: () => this.#close(connection, undefined),
    });
    if (receiver !== undefined) connection.receiver = receiver;
    this.#connections.set(ends.own, connection);
    return connection;
  }

  #send(to: string, packet: SimPacket): void {
    const { name, network, clock } = this.#options;
    if (to !== name) network.send(name, to, packet);
    else clock.after(1 as Millis, () => this.#onPacket(name, packet));
  }

  #breakAll(peer: string): void {
    for (const connection of [...this.#connections.values()]) {
      if (connection.peer === peer) this.#close(connection, new Error("Connection reset"));
    }
  }

  #close(connection: SimConnection, error: Error | undefined): void {
    if (!this.#connections.delete(connection.id)) return;
    connection.stop();
    connection.receiver.closed(error);
  }
}

interface SimEnds {
  readonly own: EndId;
  readonly far: EndId;
  readonly peer: string;
}

interface SimConnectionOptions extends SimEnds {
  readonly clock: SimClock;
  readonly skew: Millis;
  readonly bytesPerMilli: number;
  readonly send: (packet: SimPacket) => void;
  readonly ended: () => void;
}

const NOBODY: TransportReceiver = { connected() {}, received() {}, drained() {}, closed() {} };

class SimConnection implements LinkTransport {
  receiver: TransportReceiver = NOBODY;
  readonly #options: SimConnectionOptions;
  readonly #waiting: Uint8Array[] = [];
  #queuedBytes = 0;
  #isOpen = false;
  #isEnding = false;
  #isDraining = false;

  constructor(options: SimConnectionOptions) {
    this.#options = options;
  }

  get id(): EndId {
    return this.#options.own;
  }

  get peer(): string {
    return this.#options.peer;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get skew(): Millis {
    return this.#options.skew;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  open(): void {
    this.#isOpen = true;
    this.receiver.connected(new Uint8Array(0));
    this.#drain();
  }

  write(bytes: Uint8Array): void {
    if (this.#isEnding) return;
    this.#waiting.push(bytes);
    this.#queuedBytes += bytes.length;
    this.#drain();
  }

  proved(): void {}

  end(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    if (this.#isOpen) this.#drain();
    else this.#finish();
  }

  destroy(): void {
    this.#waiting.length = 0;
    this.#queuedBytes = 0;
    this.end();
  }

  /** The network has broken the connection. */
  stop(): void {
    this.#isOpen = false;
    this.#waiting.length = 0;
    this.#queuedBytes = 0;
  }

  #drain(): void {
    if (!this.#isOpen || this.#isDraining) return;
    const bytes = this.#waiting.shift();
    if (bytes === undefined) {
      if (this.#isEnding) this.#finish();
      return;
    }
    this.#isDraining = true;
    const { clock, bytesPerMilli, far, send } = this.#options;
    const leave = (): void => {
      this.#isDraining = false;
      if (!this.#isOpen) return;
      this.#queuedBytes -= bytes.length;
      send({ type: "bytes", to: far, bytes });
      this.#drain();
      if (this.#waiting.length === 0 && this.#isOpen && !this.#isEnding) this.receiver.drained();
    };
    const millis = bytes.length / bytesPerMilli;
    if (millis === 0) leave();
    else clock.after(millis as Millis, leave);
  }

  #finish(): void {
    this.#isOpen = false;
    const { far, send, ended, clock } = this.#options;
    send({ type: "end", to: far });
    clock.after(0 as Millis, ended);
  }
}
