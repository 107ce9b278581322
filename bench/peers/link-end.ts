/** One end of a link as a separate process: sends on command, counts and times what arrives. */
import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { SILENT_LOG } from "@sluice/base/log";
import { SILENT_METER } from "@sluice/base/meter";
import type { Channel } from "@sluice/mesh/channel";
import type { Incarnation } from "@sluice/mesh/hello";
import type { ChannelEvent } from "@sluice/mesh/link-event";
import { DEFAULT_LINK_LIMITS, DEFAULT_LINK_TIMINGS } from "@sluice/mesh/limits";
import { Mesh, type MeshLink } from "@sluice/mesh/mesh";
import { LinkListener, SocketDialler } from "@sluice/runtime/links/link-ports";
import { NODE_CRYPTO } from "@sluice/runtime/node-crypto";
import { SystemClock } from "@sluice/runtime/system-clock";

const SECRET = Buffer.from("a secret of the bench, and of nothing else");
const BULK_BYTES = 256 * 1024;
const SMALL_BYTES = 64;
const CONTROL_EVERY_MS = 5;
/** Small messages per round; between rounds the loop reads. */
const ROUND = 500;

const [id = "", other = "", tlsFolder = ""] = process.argv.slice(2);
const say = (event: string, more: object = {}): boolean =>
  process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);
const tls =
  tlsFolder === ""
    ? undefined
    : { cert: readFileSync(`${tlsFolder}/cert.pem`, "utf8"), key: readFileSync(`${tlsFolder}/key.pem`, "utf8") };

/** What arrived since the last `report`. */
class Arrivals {
  #bytes = 0;
  #messages = 0;
  readonly #controlMs: number[] = [];

  take({ channel, message }: { readonly channel: Channel; readonly message: Uint8Array }): void {
    this.#bytes += message.length;
    this.#messages++;
    if (channel.service !== "control") return;
    const sentAt = Buffer.from(message.buffer, message.byteOffset, 8).readBigUInt64BE();
    this.#controlMs.push(Number(process.hrtime.bigint() - sentAt) / 1e6);
  }

  report(): object {
    const { user, system } = process.cpuUsage();
    const told = { bytes: this.#bytes, messages: this.#messages, controlMs: [...this.#controlMs] };
    this.#bytes = this.#messages = this.#controlMs.length = 0;
    return { ...told, cpuSeconds: (user + system) / 1e6 };
  }
}

class Sender {
  readonly #link: MeshLink;
  readonly #bulk: Channel;
  readonly #small: Channel;
  readonly #control: Channel;
  readonly #timer: NodeJS.Timeout;
  #mode = "idle";

  constructor(link: MeshLink) {
    const open = (name: string, kind: Channel["class"]): Channel => {
      const channel = link.driver.link?.openChannel(name, { class: kind });
      if (channel === undefined) throw new Error(`Cannot open the channel ${name}`);
      return channel;
    };
    this.#link = link;
    this.#bulk = open("bulk", "bulk");
    this.#small = open("small", "state");
    this.#control = open("control", "control");
    this.#timer = setInterval(() => this.#sendControl(), CONTROL_EVERY_MS);
  }

  /** `bulk`: as many bytes as the link takes; `small`: as many messages as it takes; `idle`: control messages only. */
  setMode(mode: string): void {
    this.#mode = mode;
    this.fill();
  }

  /** Call whenever there may be room. */
  fill(): void {
    if (this.#mode === "bulk")
      while (this.#bulk.queuedBytes < 2 * BULK_BYTES) this.#bulk.send(new Uint8Array(BULK_BYTES));
    if (this.#mode === "small" && this.#small.queuedBytes < ROUND * SMALL_BYTES)
      for (let count = 0; count < ROUND; count++) this.#small.send(new Uint8Array(SMALL_BYTES));
    if (this.#mode !== "idle") setImmediate(() => this.fill());
  }

  close(): void {
    clearInterval(this.#timer);
    this.#mode = "idle";
    this.#link.driver.goodbye("the measurement is over");
  }

  #sendControl(): void {
    const message = Buffer.alloc(16);
    message.writeBigUInt64BE(process.hrtime.bigint());
    this.#control.send(message);
  }
}

const clock = new SystemClock();
const arrivals = new Arrivals();
let sender: Sender | undefined;
const mesh = new Mesh({
  own: () => ({ id, incarnation: incarnation as Incarnation, purpose: "node", facts: new Map() }),
  secrets: () => [SECRET],
  judge: () => undefined,
  crypto: NODE_CRYPTO,
  dialler: new SocketDialler(tls),
  clock,
  defer: (action) => process.nextTick(action),
  random: Math.random,
  limits: DEFAULT_LINK_LIMITS,
  timings: DEFAULT_LINK_TIMINGS,
  listener: {
    up: (link) => {
      if (other !== "listen") sender = new Sender(link);
      say("up");
    },
    happened: (_link, event: ChannelEvent) => {
      if (event.type === "message") arrivals.take(event);
    },
    down: (_link, why) => say("down", { why: why.type }),
    failed: (_attempt, error) => say("failed", { reason: error.message }),
  },
});
const incarnation = randomInt(2 ** 32);

if (other === "listen") {
  const strangers = { strangers: 8, strangersPerAddress: 8, handshake: DEFAULT_LINK_TIMINGS.handshake, exempt: [] };
  const [log, meter] = [SILENT_LOG, SILENT_METER];
  const refused = (error: Error): boolean => say("failed", { reason: error.message });
  const listener = new LinkListener({ name: "bench", mesh, tls, strangers, clock, log, meter, refused });
  say("listening", { address: await listener.open({ host: "127.0.0.1", port: 0 }) });
} else {
  mesh.reach(new Map([["peer", { address: other, to: "" }]]));
}
createInterface({ input: process.stdin }).on("line", (line) => {
  if (line === "report") say("report", arrivals.report());
  else sender?.setMode(line);
});
process.on("SIGTERM", () => process.exit(0));
