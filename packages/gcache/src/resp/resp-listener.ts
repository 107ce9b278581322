/** Accepts RESP clients, and lists them. */
import { createServer, type Server, type Socket } from "node:net";
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import type { Counter, Meter } from "@sluice/base/meter";
import type { ClientDirectory, ClientRow, CommandBackend, CommandSink } from "@sluice/cache/resp/command-backend";
import type { SessionEnd } from "@sluice/cache/resp/command-session";
import type { Command } from "@sluice/cache/resp/command";
import { CommandTable } from "@sluice/cache/resp/command-table";
import { WorkTurn } from "@sluice/cache/resp/work-turn";
import { listen } from "@sluice/runtime/sockets/listen";
import { Strangers } from "@sluice/runtime/sockets/strangers";
import type { HostAndPort } from "@sluice/runtime/sockets/host-and-port";
import { ClientLoad } from "./client-load.ts";
import type { RespLimits } from "../node/limits.ts";
import { type ConnectionOwner, RespConnection } from "./resp-connection.ts";
import type { RespTraffic } from "./resp-traffic.ts";

/** Work units, as `WorkTurn` counts them. */
const UNITS_PER_MILLI = 1_000;
const MOST_REST = 100;

export interface RespListenerOptions {
  /** Shared by the sessions; `clients` is this listener itself. */
  readonly backend: Omit<CommandBackend, "clients">;
  /** In addition to the cache's own. */
  readonly commands: readonly Command[];
  readonly password: string | undefined;
  readonly traffic: RespTraffic;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  readonly limits: RespLimits;
}

export class RespListener implements ClientDirectory, ConnectionOwner {
  readonly load: ClientLoad;
  readonly #options: RespListenerOptions;
  readonly #backend: CommandBackend;
  readonly #commands: CommandTable;
  readonly #server: Server;
  readonly #strangers: Strangers;
  readonly #turn: WorkTurn;
  readonly #byId = new Map<number, RespConnection>();
  readonly #bySink = new Map<CommandSink, RespConnection>();
  /** Connections with work to do, in order. */
  readonly #due = new Set<RespConnection>();
  /** Connections that waited for room continue after all others: they need much, and many may wait. */
  readonly #roomy = new Set<RespConnection>();
  readonly #accepted: Counter;
  #nextTurn: NodeJS.Immediate | undefined;
  /** Runs while the loop is left to other work, for as long as the last turn exceeded its limit. */
  #rest: Timer | undefined;
  #lastId = 0;

  constructor(options: RespListenerOptions) {
    const { backend, commands, limits, password, clock, meter } = options;
    this.#options = options;
    this.#backend = { ...backend, clients: this };
    this.#commands = new CommandTable(commands);
    this.#turn = new WorkTurn(limits);
    this.load = new ClientLoad(limits.heldBytes, () => this.#allDue());
    const isOpen = password === undefined;
    const silent = { strangers: limits.clients >> 1, strangersPerAddress: 0, handshake: limits.handshake, exempt: [] };
    this.#strangers = new Strangers({ limits: isOpen ? silent : { ...limits, exempt: [] }, clock, meter });
    this.#accepted = meter.counter("cache_clients", "RESP clients accepted");
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  /** @returns `host:port` as bound. @throws {ListenError} */
  open(at: HostAndPort): Promise<string> {
    return listen(this.#server, {
      ...at,
      listener: "resp",
      failed: (error) => this.#options.log.error({ err: error }, "Cannot accept a RESP client"),
    });
  }

  get count(): number {
    return this.#byId.size;
  }

  *rows(): Iterable<ClientRow> {
    for (const { session } of this.#byId.values()) yield session.row;
  }

  kill(id: number): void {
    this.#byId.get(id)?.end();
  }

  /** Writes the output for the client behind `sink`. */
  flush(sink: CommandSink): void {
    this.#bySink.get(sink)?.flush();
  }

  /** Publishes to all subscribers. */
  publish(channel: string, message: string): void {
    for (const connection of this.#byId.values()) {
      if (connection.session.row.subscriptionCount === 0) continue;
      connection.session.publish(channel, message);
      connection.flush();
    }
  }

  /** Disconnects clients that expect a leader here, so that they look for it; subscribers stay. */
  dismiss(): void {
    for (const connection of [...this.#byId.values()]) {
      if (connection.session.row.subscriptionCount === 0) connection.end();
    }
  }

  /** Disconnects the client behind `sink` after sending its output. */
  dismissOne(sink: CommandSink): void {
    this.#bySink.get(sink)?.end();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of [...this.#byId.values()]) {
      connection.end();
      connection.destroy();
    }
    if (this.#nextTurn !== undefined) clearImmediate(this.#nextTurn);
    this.#rest?.cancel();
    await closed;
  }

  /** Small amounts add up over several turns before a rest begins, so most turns cost nothing extra. */
  spent(): void {
    if (this.#turn.isHalfOver) this.#beginTurnSoon();
  }

  due(connection: RespConnection): void {
    if (!this.#roomy.has(connection)) this.#due.add(connection);
    this.#beginTurnSoon();
  }

  received(bytes: number): void {
    this.#options.traffic.inputBytes += bytes;
  }

  sent(bytes: number): void {
    this.#options.traffic.outputBytes += bytes;
  }

  known({ socket }: RespConnection): void {
    this.#strangers.known(socket);
  }

  ended({ session }: RespConnection, reason: SessionEnd): void {
    const { log, meter } = this.#options;
    const client = session.row.address;
    switch (reason) {
      case "speaks-http":
      case "speaks-tls": {
        const protocol = reason === "speaks-http" ? "HTTP" : "TLS";
        meter
          .counter("cache_clients_misdirected", "RESP connections ended because they spoke another protocol", {
            protocol,
          })
          .add();
        return log.warn(
          { client, protocol },
          "Ended a client that does not speak RESP: none of its input was executed",
        );
      }
      case "does-not-read":
        meter.counter("cache_clients_stalled", "RESP clients dropped because they did not read").add();
        return log.warn({ client }, "Dropped a client that does not read");
      default:
    }
  }

  closed(connection: RespConnection): void {
    this.#byId.delete(connection.session.row.id);
    this.#bySink.delete(connection.session);
    this.#due.delete(connection);
    this.#roomy.delete(connection);
  }

  /** Continues all connections that waited for room. */
  #allDue(): void {
    for (const connection of this.#byId.values()) if (!this.#due.has(connection)) this.#roomy.add(connection);
    this.#beginTurnSoon();
  }

  /** A command may take the time of many turns; a heartbeat of the log takes several rounds of the loop, and must not be delayed in each. */
  #beginTurnSoon(): void {
    if (this.#rest !== undefined) return;
    const rest = Math.min(MOST_REST, this.#turn.overdrawn / UNITS_PER_MILLI);
    if (rest < 1) this.#nextTurn ??= setImmediate(() => this.#beginTurn());
    else {
      this.#rest = this.#options.clock.after(rest as Millis, () => {
        this.#rest = undefined;
        this.#beginTurn();
      });
    }
  }

  /** Continues interrupted connections, as many as fit into one turn of the event loop. */
  #beginTurn(): void {
    if (this.#nextTurn !== undefined) clearImmediate(this.#nextTurn);
    this.#nextTurn = undefined;
    this.#turn.begin();
    for (const waiting of [this.#due, this.#roomy]) {
      for (const connection of [...waiting]) {
        if (this.#turn.isOver) break;
        waiting.delete(connection);
        connection.goOn();
      }
    }
    if (this.#due.size + this.#roomy.size > 0) this.#beginTurnSoon();
  }

  #accept(socket: Socket): void {
    const { clock, limits, meter, password, traffic } = this.#options;
    if (this.#byId.size >= limits.clients) {
      traffic.refusedClients++;
      meter.counter("cache_clients_refused", "RESP clients refused at the limit of clients").add();
      socket.end("-ERR max number of clients reached\r\n");
      socket.on("error", () => {});
      socket.destroySoon();
      return;
    }
    this.#accepted.add();
    traffic.acceptedClients++;
    this.#strangers.admit(socket, { listener: "resp", deadline: password === undefined ? "elsewhere" : "here" });
    const id = ++this.#lastId;
    const address = `${socket.remoteAddress}:${socket.remotePort}`;
    const localAddress = `${socket.localAddress}:${socket.localPort}`;
    const [backend, commands, turn] = [this.#backend, this.#commands, this.#turn];
    const session = { id, address, localAddress, backend, commands, password, turn };
    const connection = new RespConnection(socket, { session, clock, limits, owner: this });
    this.#byId.set(id, connection);
    this.#bySink.set(connection.session, connection);
  }
}
