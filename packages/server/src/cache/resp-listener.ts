/** Where RESP clients are heard, and who they are. */
import { createServer, type Server, type Socket } from "node:net";
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import type { Counter, Meter } from "@sluice/base/meter";
import type { ClientDirectory, ClientRow, CommandBackend, CommandSink } from "@sluice/cache/resp/command-backend";
import type { Command } from "@sluice/cache/resp/command";
import { CommandTable } from "@sluice/cache/resp/command-table";
import { DEFAULT_RESP_LIMITS } from "@sluice/cache/resp/limits";
import { listen } from "../listeners/listen.ts";
import type { HostAndPort } from "./address.ts";
import type { RespLimits } from "./limits.ts";
import { RespConnection } from "./resp-connection.ts";

export interface RespListenerOptions {
  /** What the sessions stand on; `clients` is this listener itself. */
  readonly backend: Omit<CommandBackend, "clients">;
  /** Beside the cache's own. */
  readonly commands: readonly Command[];
  readonly password: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  readonly limits: RespLimits;
}

export class RespListener implements ClientDirectory {
  readonly #options: RespListenerOptions;
  readonly #backend: CommandBackend;
  readonly #commands: CommandTable;
  readonly #server: Server;
  readonly #byId = new Map<number, RespConnection>();
  readonly #bySink = new Map<CommandSink, RespConnection>();
  readonly #accepted: Counter;
  #lastId = 0;

  constructor(options: RespListenerOptions) {
    this.#options = options;
    this.#backend = { ...options.backend, clients: this };
    this.#commands = new CommandTable(DEFAULT_RESP_LIMITS, options.commands);
    this.#accepted = options.meter.counter("cache_clients", "RESP clients accepted");
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

  get clientCount(): number {
    return this.#byId.size;
  }

  *rows(): Iterable<ClientRow> {
    for (const { session } of this.#byId.values()) yield session;
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
      if (connection.session.subscriptionCount === 0) continue;
      connection.session.publish(channel, message);
      connection.flush();
    }
  }

  /** Ends the clients that expect a leader here, so that they look for it anew; subscribers stay. */
  dismiss(): void {
    for (const connection of [...this.#byId.values()]) {
      if (connection.session.subscriptionCount === 0) connection.end();
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
    await closed;
  }

  #accept(socket: Socket): void {
    const { clock, log, limits, meter, password } = this.#options;
    if (this.#byId.size >= limits.clients) {
      meter.counter("cache_clients_refused", "RESP clients refused because there are too many").add();
      socket.end("-ERR max number of clients reached\r\n");
      socket.on("error", () => {});
      socket.destroySoon();
      return;
    }
    this.#accepted.add();
    const id = ++this.#lastId;
    const address = `${socket.remoteAddress}:${socket.remotePort}`;
    const localAddress = `${socket.localAddress}:${socket.localPort}`;
    const connection = new RespConnection(socket, {
      session: { id, address, localAddress, backend: this.#backend, commands: this.#commands, password },
      clock,
      limits,
      closed: () => {
        this.#byId.delete(id);
        this.#bySink.delete(connection.session);
      },
      stalled: () => {
        meter.counter("cache_clients_stalled", "RESP clients dropped because they did not read").add();
        log.warn({ client: address }, "Dropped a client that does not read");
      },
    });
    this.#byId.set(id, connection);
    this.#bySink.set(connection.session, connection);
  }
}
