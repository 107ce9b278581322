/** Many clients of one shared thing in one process: counts what they are given, and how long a change takes to the last of them. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { type Dialect, DIALECTS, type ObjectServer } from "./object-dialects.ts";

const [, , server = "", portText = "", countText = ""] = process.argv;
const dialect: Dialect = DIALECTS[server as ObjectServer];
const port = Number(portText);
const count = Number(countText);

/** Opcodes of RFC 6455 §5.2; the answer is masked with nothing, and empty, as are the pings of these servers. */
const PING = 9;
const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

/** Frames of one raw WebSocket; the mask is zero, which costs nobody anything. */
class Client {
  readonly socket: Socket;
  readonly opened: Promise<void>;
  frame: (payload: Uint8Array) => void = () => {};
  #left: Buffer = Buffer.alloc(0);
  #isUp = false;
  #open!: () => void;
  #isOpen = false;

  constructor(path: string) {
    this.opened = new Promise((resolve) => (this.#open = resolve));
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.socket.on("data", (bytes) => this.#hear(bytes));
    const offer = dialect.subprotocol === undefined ? "" : `Sec-WebSocket-Protocol: ${dialect.subprotocol}\r\n`;
    this.socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n${offer}\r\n`,
    );
  }

  say(message: Uint8Array | string): void {
    const payload = Buffer.from(message as string);
    const head = payload.length < 126 ? Buffer.alloc(6) : Buffer.alloc(8);
    head[0] = typeof message === "string" ? 0x81 : 0x82;
    head[1] = 0x80 | Math.min(payload.length, 126);
    if (payload.length >= 126) head.writeUInt16BE(payload.length, 2);
    this.socket.write(Buffer.concat([head, payload]));
  }

  #hear(bytes: Buffer): void {
    let left = this.#left.length === 0 ? bytes : Buffer.concat([this.#left, bytes]);
    if (!this.#isUp) {
      const end = left.indexOf("\r\n\r\n");
      if (end < 0) return void (this.#left = left);
      this.#isUp = true;
      left = left.subarray(end + 4);
      this.#step(undefined);
    }
    for (;;) {
      const short = (left[1] ?? 0) & 127;
      const head = short < 126 ? 2 : 4;
      if (left.length < head) break;
      const length = short < 126 ? short : left.readUInt16BE(2);
      if (left.length < head + length) break;
      if (((left[0] ?? 0) & 15) === PING) this.socket.write(PONG);
      else this.#take(left.subarray(head, head + length));
      left = left.subarray(head + length);
    }
    this.#left = left;
  }

  #take(payload: Buffer): void {
    const alive = dialect.alive(payload);
    if (alive !== undefined) this.say(alive);
    if (this.#isOpen) this.frame(payload);
    else this.#step(payload);
  }

  #step(payload: Buffer | undefined): void {
    const answer = dialect.answer(payload);
    if (answer === true) {
      this.#isOpen = true;
      this.#open();
    } else if (answer !== undefined) this.say(answer);
  }
}

async function openClient(): Promise<Client> {
  const client = new Client(await dialect.path(port));
  await client.opened;
  return client;
}

/** `t=NUMBER;` in a frame, in whatever encoding around it. */
function stampOf(frame: Uint8Array): number {
  const bytes = frame as Buffer;
  const at = bytes.indexOf("t=");
  return at < 0 ? -1 : Number.parseInt(bytes.toString("latin1", at + 2, at + 12), 10);
}

/** Changes at a steady rate, heard by all. */
async function fanOut(clients: readonly Client[], rate: number, seconds: number): Promise<object> {
  const sentAt: number[] = [];
  const seenBy: number[] = [];
  const delays: number[] = [];
  let deliveries = 0;
  for (const client of clients) {
    let last = -1;
    client.frame = (frame) => {
      const stamp = stampOf(frame);
      if (stamp < 0) return;
      deliveries++;
      for (let i = last + 1; i <= stamp; i++) {
        seenBy[i] = (seenBy[i] ?? 0) + 1;
        if (seenBy[i] === clients.length) delays.push(performance.now() - (sentAt[i] ?? 0));
      }
      last = Math.max(last, stamp);
    };
  }
  const writer = await openClient();
  const began = performance.now();
  for (let sent = 0; performance.now() - began < seconds * 1_000; await sleep(1)) {
    for (const due = ((performance.now() - began) / 1_000) * rate; sent < due; sent++) {
      sentAt[sent] = performance.now();
      writer.say(dialect.change(nextId++, { x: sent, t: `t=${sent};` }));
    }
  }
  const took = (performance.now() - began) / 1_000;
  const counted = deliveries;
  await sleep(500);
  writer.socket.destroy();
  delays.sort((a, b) => a - b);
  const at = (share: number): number => delays[Math.floor((delays.length - 1) * share)] ?? Number.NaN;
  return {
    deliveries: counted / took,
    changes: sentAt.length / took,
    whole: delays.length,
    p50: at(0.5),
    p99: at(0.99),
  };
}

/** As many changes as are taken, some of each writer under way. */
async function accepted(writers: number, underWay: number, seconds: number): Promise<object> {
  const { isTaken } = dialect;
  if (isTaken === undefined) return { accepted: Number.NaN };
  let taken = 0;
  const open = await Promise.all(Array.from({ length: writers }, () => openClient()));
  for (const client of open) {
    const write = (): void => client.say(dialect.change(nextId++, { x: nextId, t: "t" }));
    client.frame = (frame) => {
      if (!isTaken(frame)) return;
      taken++;
      write();
    };
    for (let i = 0; i < underWay; i++) write();
  }
  await sleep(1_000);
  const before = taken;
  const began = performance.now();
  await sleep(seconds * 1_000);
  const perSecond = ((taken - before) / (performance.now() - began)) * 1_000;
  for (const { socket } of open) socket.destroy();
  return { accepted: perSecond };
}

let nextId = 1;
const clients: Client[] = [];
for (let i = 0; i < count; i++) clients.push(await openClient());
console.log(JSON.stringify({ event: "open" }));
for await (const line of createInterface({ input: process.stdin })) {
  const [order, ...numbers] = line.split(" ");
  const [first = 0, second = 0, third = 0] = numbers.map(Number);
  const report = order === "fan-out" ? await fanOut(clients, first, second) : await accepted(first, second, third);
  console.log(JSON.stringify({ event: "report", ...report }));
}
for (const { socket } of clients) {
  socket.destroy();
  await once(socket, "close");
}
