/** Colyseus with one kind of room, whose state all its clients see; `rooms N` on stdin makes N of them. */
import { createRequire } from "node:module";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";

interface State {
  x: number;
  t: string;
}

interface RoomBase {
  state: State;
  autoDispose: boolean;
  setPatchRate(milliseconds: number): void;
  onMessage(type: string, listener: (client: unknown, value: State) => void): void;
}

interface Core {
  readonly Server: new (
    options: unknown,
  ) => { define(name: string, room: unknown): void; listen(port: number, host: string): Promise<void> };
  readonly Room: new () => RoomBase;
  readonly matchMaker: { createRoom(name: string, options: unknown): Promise<unknown> };
}

const [, , resolveFrom = "", patchRate = "50"] = process.argv;
const require = createRequire(resolveFrom);
const { Server, Room, matchMaker } = require("@colyseus/core") as Core;
const { WebSocketTransport } = require("@colyseus/ws-transport") as {
  readonly WebSocketTransport: new (options: unknown) => unknown;
};
const { schema, t } = require("@colyseus/schema") as {
  readonly schema: (fields: unknown) => new () => State;
  readonly t: Readonly<Record<"number" | "string", () => unknown>>;
};

const BallState = schema({ x: t.number(), y: t.number(), t: t.string(), owner: t.string() });

class BallRoom extends Room {
  onCreate(): void {
    this.autoDispose = false;
    this.state = new BallState();
    this.setPatchRate(Number(patchRate));
    this.onMessage("set", (_, value) => {
      this.state.x = value.x;
      this.state.t = value.t;
    });
  }
}

const http = createServer();
const server = new Server({ transport: new WebSocketTransport({ server: http }), greet: false });
server.define("ball", BallRoom);
await server.listen(0, "127.0.0.1");
console.log(JSON.stringify({ event: "ready", port: (http.address() as AddressInfo).port }));
createInterface({ input: process.stdin }).on("line", (line) => {
  void makeRooms(Number(line.split(" ")[1]));
});

async function makeRooms(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await matchMaker.createRoom("ball", {});
  console.log(JSON.stringify({ event: "rooms" }));
}

process.on("SIGTERM", () => process.exit(0));
