/** Where RESP clients are heard, and who they are. */
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

/** Of work, as `WorkTurn` counts it. */
const UNITS_PER_MILLI = 1_000;
const MOST_REST = 100;

export interface RespListenerOptions {
  /** What the sessions stand on; `clients` is this listener itself. */
  readonly backend: Omit<CommandBackend, "clients">;
  /** Beside the cache's own. */
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
  /** Whose turn comes next, in this order. */
  readonly #due = new Set<RespConnection>();
  /** Who waited for room goes on behind all others: what it waits for is large, and many may wait. */
  readonly #roomy = new Set<RespConnection>();
  readonly #accepted: Counter;
  #nextTurn: NodeJS.Immediate | undefined;
  /** Runs while the loop is left to others, for as long as the last turn took beyond its measure. */
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

  /** Writes what has become ready for the client behind `sink`. */
  flush(sink: CommandSink): void {
    this.#bySink.get(sink)?.flush();
  }

  /** Tells all subscribers. */
  publish(channel: string, message: string): void {
    for (const connection of this.#byId.values()) {
      if (connection.session.row.subscriptionCount === 0) continue;
      connection.session.publish(channel, message);
      connection.flush();
    }
  }

  /** Ends the clients that expect a leader here, so that they look for it anew; subscribers stay. */
  dismiss(): void {
    for (const connection of [...this.#byId.values()]) {
      if (connection.session.row.subscriptionCount === 0) connection.end();
    }
  }

  /** Ends the client behind `sink` once it has what it is owed. */
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

  /** Small amounts add up over some turns before a new one is begun, so that it costs nothing in most. */
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
          .counter("cache_clients_misdirected", "RESP connections ended since they spoke another protocol", {
            protocol,
          })
          .add();
        return log.warn({ client, protocol }, "Ended a client that does not speak RESP: nothing of it was done");
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

  /** Everybody goes on who had to wait for room. */
  #allDue(): void {
    for (const connection of this.#byId.values()) if (!this.#due.has(connection)) this.#roomy.add(connection);
    this.#beginTurnSoon();
  }

  /** A single command may take many turns' time; a heartbeat of the log takes some rounds of the loop, and must not wait for one in each. */
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

  /** Goes on with those who were cut short, as many as one turn of the event loop has time for. */
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
      meter.counter("cache_clients_refused", "RESP clients refused because there are too many").add();
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
