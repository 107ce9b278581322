/** A cluster of one in memory behind a real socket: RESP sessions without a process around them. */
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { Millis } from "@sluice/base/brand";
import type { LogIndex, MemberId, Term } from "@sluice/cache/ids";
import type { CommandBackend, CommandSink, CommandStore } from "@sluice/cache/resp/command-backend";
import { CommandSession } from "@sluice/cache/resp/command-session";
import { CacheState } from "@sluice/cache/state/cache-state";

export class RespMember implements AsyncDisposable {
  readonly #server: Server;
  readonly #state = new CacheState({ hashSeed: 1 });
  readonly #sessions = new Map<Socket, CommandSession>();
  readonly #writes: (() => void)[] = [];
  readonly #backend: CommandBackend;
  #index = 0;
  #sessionCount = 0;

  private constructor() {
    const rows = () => [...this.#sessions.values()].map((session) => session.row);
    const self = "n1" as MemberId;
    this.#backend = {
      counts: { commands: 0, hits: 0, misses: 0 },
      store: this.#store(),
      clients: {
        rows,
        count: 0,
        kill: (id) => [...this.#sessions].find(([, session]) => session.row.id === id)?.[0].destroy(),
      },
      cluster: {
        self,
        role: "leader",
        term: 1,
        leader: self,
        lastLeader: self,
        leaderStanding: "up",
        members: [],
        appliedIndex: 0,
        infoLines: () => [],
      },
    };
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  static async start(): Promise<RespMember> {
    const member = new RespMember();
    member.#server.listen(0, "127.0.0.1");
    await once(member.#server, "listening");
    return member;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sessions.keys()) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #store(): CommandStore {
    const wall = () => Date.now() as Millis;
    return {
      state: this.#state,
      wall,
      readStanding: () => "now",
      confirmRead: () => {},
      waitForReplicas: (sink, ticket) => this.#later(() => sink.replicated(ticket, 0)),
      write: (sink: CommandSink, ticket: number, operation: Uint8Array) =>
        this.#later(() => {
          const at = { index: ++this.#index as LogIndex, term: 1 as Term, time: wall() };
          sink.answered(ticket, this.#state.apply(operation, at));
        }),
    };
  }

  #later(action: () => void): void {
    if (this.#writes.push(action) === 1) setImmediate(() => this.#turn());
  }

  #turn(): void {
    for (let action = this.#writes[0]; action !== undefined; action = this.#writes[0]) {
      action();
      this.#writes.shift();
    }
    for (const [socket, session] of this.#sessions) this.#send(socket, session);
  }

  #accept(socket: Socket): void {
    const session = new CommandSession({
      id: ++this.#sessionCount,
      address: `127.0.0.1:${socket.remotePort}`,
      localAddress: `127.0.0.1:${socket.localPort}`,
      backend: this.#backend,
      now: performance.now() as Millis,
    });
    this.#sessions.set(socket, session);
    socket.on("data", (bytes) => {
      session.receive(bytes, performance.now() as Millis);
      this.#send(socket, session);
    });
    socket.on("close", () => this.#sessions.delete(socket));
    socket.on("error", () => {});
  }

  #send(socket: Socket, session: CommandSession): void {
    for (let output = session.nextOutput(); output !== undefined; output = session.nextOutput()) socket.write(output);
    if (session.ended !== undefined) socket.end();
  }
}
