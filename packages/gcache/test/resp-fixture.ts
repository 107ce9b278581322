/** RESP clients for tests: one whose socket and clock the test owns, and a listener on a store of one in memory. */
import { EventEmitter, once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import type { Meter } from "@sluice/base/meter";
import type { LogIndex, MemberId, Term } from "@sluice/cache/ids";
import type { CommandBackend, CommandStore } from "@sluice/cache/resp/command-backend";
import type { Command } from "@sluice/cache/resp/command";
import { WorkTurn } from "@sluice/cache/resp/work-turn";
import type { SessionEnd } from "@sluice/cache/resp/command-session";
import { CacheState } from "@sluice/cache/state/cache-state";
import { ClientLoad } from "@sluice/gcache/resp/client-load";
import { DEFAULT_RESP_LIMITS, type RespLimits } from "@sluice/gcache/node/limits";
import { type ConnectionOwner, RespConnection } from "@sluice/gcache/resp/resp-connection";
import { RespListener } from "@sluice/gcache/resp/resp-listener";
import { RespTraffic } from "@sluice/gcache/resp/resp-traffic";
import { SystemClock } from "@sluice/runtime/system-clock";
import { FakeClock } from "@sluice/testkit/fake-clock";

/** A socket whose other end reads only when the test says so. */
export class DeafSocket extends EventEmitter {
  heard = "";
  writableLength = 0;
  hasEnded = false;
  destroyed = false;
  #isPaused = false;
  #unread: Uint8Array[] = [];
  #unsent: Uint8Array[] = [];

  setNoDelay(): void {}

  write(bytes: Uint8Array): void {
    this.#unread.push(bytes);
    this.writableLength += bytes.length;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    queueMicrotask(() => this.#deliver());
  }

  isPaused(): boolean {
    return this.#isPaused;
  }

  end(): void {
    this.hasEnded = true;
  }

  destroySoon(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit("close");
  }

  /** Of the other end: sends. */
  send(text: string): void {
    this.#unsent.push(Buffer.from(text, "latin1"));
    this.#deliver();
  }

  /** Of the other end: bytes that the server has not read. */
  get unsentBytes(): number {
    return this.#unsent.reduce((sum, bytes) => sum + bytes.length, 0);
  }

  /** Of the other end: reads until nothing more comes. */
  async read(): Promise<void> {
    do {
      this.heard += Buffer.concat(this.#unread).toString("latin1");
      this.#unread = [];
      this.writableLength = 0;
      this.emit("drain");
      await new Promise((resolve) => setImmediate(resolve));
    } while (this.writableLength > 0);
  }

  /** Of the other end: reads so many pieces. */
  readSome(count: number): void {
    for (const bytes of this.#unread.splice(0, count)) this.writableLength -= bytes.length;
  }

  #deliver(): void {
    while (!this.#isPaused && !this.destroyed) {
      const bytes = this.#unsent.shift();
      if (bytes === undefined) return;
      this.emit("data", bytes);
    }
  }
}

/** Applies what is written at the end of the turn. @param told  called with every sink that has an answer */
export function storeOfOne(told: (sink: Parameters<CommandStore["write"]>[0]) => void): CommandStore {
  const state = new CacheState({ hashSeed: 1 });
  let index = 0;
  return {
    state,
    wall: () => 1_000_000 as Millis,
    readStanding: () => "now",
    confirmRead() {},
    waitForReplicas() {},
    write(sink, ticket, operation) {
      setImmediate(() => {
        const at = { index: ++index as LogIndex, term: 1 as Term, time: 1_000_000 as Millis };
        sink.answered(ticket, state.apply(operation, at));
        told(sink);
      });
    },
  };
}

const SELF = "n1" as MemberId;
const CLUSTER = {
  self: SELF,
  role: "leader",
  term: 1,
  leader: SELF,
  lastLeader: SELF,
  leaderStanding: "up",
  members: [],
  appliedIndex: 0,
} as const;

/** One connection on a socket and a clock that the test owns. */
export function oneClient(more: Partial<RespLimits> = {}) {
  const limits = { ...DEFAULT_RESP_LIMITS, ...more };
  const clock = new FakeClock();
  const socket = new DeafSocket();
  const ends: SessionEnd[] = [];
  const turn = new WorkTurn(limits);
  const owner: ConnectionOwner = {
    load: new ClientLoad(limits.heldBytes, () => setImmediate(() => connection.goOn())),
    spent: () => turn.begin(),
    due: () => void setImmediate(() => (turn.begin(), connection.goOn())),
    received() {},
    sent() {},
    known() {},
    ended: (_connection, reason) => void ends.push(reason),
    closed() {},
  };
  const store = storeOfOne(() => connection.flush());
  const backend: CommandBackend = {
    counts: { commands: 0, hits: 0, misses: 0 },
    store,
    cluster: { ...CLUSTER, infoLines: () => [] },
    clients: { rows: () => [], count: 0, kill() {} },
  };
  const session = { id: 1, address: "a", localAddress: "b", backend, turn };
  const connection = new RespConnection(socket as unknown as Socket, { session, clock, limits, owner });
  return { connection, socket, clock, owner, ends, limits, store };
}

export interface ListenerOptions {
  readonly limits?: Partial<RespLimits>;
  readonly password?: string;
  readonly log: Log;
  readonly meter: Meter;
  readonly clock?: Clock;
  readonly commands?: readonly Command[];
}

/** A listener on loopback; `port` is where. */
export async function openListener(options: ListenerOptions) {
  const { limits, password, log, meter, clock = new SystemClock(), commands = [] } = options;
  const store = storeOfOne((sink) => listener.flush(sink));
  const traffic = new RespTraffic(0 as Millis);
  const backend = { store, counts: traffic, cluster: { ...CLUSTER, infoLines: () => [] } };
  const all = { ...DEFAULT_RESP_LIMITS, ...limits };
  const listener = new RespListener({ backend, commands, password, traffic, clock, log, meter, limits: all });
  const port = Number((await listener.open({ host: "127.0.0.1", port: 0 })).split(":").at(-1));
  return { listener, traffic, store, port, [Symbol.asyncDispose]: () => listener.close() };
}

/** A client over a real socket. */
export class RawClient implements Disposable {
  heard = "";
  readonly socket: Socket;
  readonly closed: Promise<unknown>;

  private constructor(socket: Socket) {
    this.socket = socket;
    this.closed = once(socket, "close");
    socket.on("error", () => {}); // a reset is an end, too
    socket.on("data", (bytes) => (this.heard += bytes.toString("latin1")));
  }

  static async dial(port: number): Promise<RawClient> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    return new RawClient(socket);
  }

  send(text: string): void {
    this.socket.write(Buffer.from(text, "latin1"));
  }

  /** Sends, and waits until that much has come back. */
  async ask(text: string, isEnough: (heard: string) => boolean): Promise<string> {
    this.heard = "";
    this.send(text);
    while (!isEnough(this.heard) && !this.socket.closed) await Promise.race([once(this.socket, "data"), this.closed]);
    return this.heard;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

/** Lines and counters, by name. */
export function overhear(): { log: Log; meter: Meter; lines: string[]; counted: Map<string, number> } {
  const lines: string[] = [];
  const counted = new Map<string, number>();
  const note = (fields: Readonly<Record<string, unknown>>, message: string): void =>
    void lines.push(`${message} ${JSON.stringify(fields)}`);
  const log: Log = { debug() {}, info: note, warn: note, error: note, child: () => log };
  const meter: Meter = {
    counter: (name, _help, labels) => ({
      add(by = 1) {
        const key = labels === undefined ? name : `${name} ${Object.values(labels).join(" ")}`;
        counted.set(key, (counted.get(key) ?? 0) + by);
      },
    }),
    gauge: () => ({ set() {} }),
  };
  return { log, meter, lines, counted };
}
