/** A whole server inside the test process, and peers that speak RTMP, HTTP and WebSocket to it over loopback. */
import { createHmac, randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { SlabAllocator } from "@sluice/bytes/allocator";
import { until } from "@sluice/testkit/until";
import { type ConnectOptions, RtmpClientEngine } from "@sluice/rtmp/client-engine";
import type { RtmpClientEvent } from "@sluice/rtmp/client-event";
import { type Log, type LogFields, SILENT_LOG } from "@sluice/base/log";
import { runServer } from "@sluice/server/node/compose";
import { LiveConfig } from "@sluice/server/config/live-config";
import { loadConfig } from "@sluice/server/config/load-config";

export interface RunningServer extends AsyncDisposable {
  readonly rtmpPort: number;
  readonly httpPort: number;
  portOf(listener: string): number;
  /** What the command line would make of SIGHUP. */
  readonly settings: LiveConfig;
  /** Begins to drain; resolves when the server has ended. */
  stop(): Promise<void>;
  get(path: string): Promise<unknown>;
  /** The value of one line of `/metrics`; 0 when it is not there. */
  metric(line: string): Promise<number>;
}

/** @param sets  as `--set` on the command line */
export async function openServer(sets: readonly string[] = [], log: Log = SILENT_LOG): Promise<RunningServer> {
  const ports = ["rtmp.port=0", "http.port=0", "listen.host=127.0.0.1", "shutdown.timeout=2s"];
  const config = loadConfig({ sets: [...ports, ...sets], env: {}, file: "none", hostname: "box" });
  const settings = new LiveConfig(config);
  const stopping = new AbortController();
  const ready = Promise.withResolvers<{ readonly listeners: Readonly<Record<string, string>> }>();
  const running = runServer(settings, {
    log,
    stop: stopping.signal,
    ready: (line) => ready.resolve(line as never),
  });
  running.catch((error: unknown) => ready.reject(error));
  const { listeners } = await ready.promise;
  const portOf = (name: string): number => Number(listeners[name]?.split(":").at(-1));
  const url = `http://127.0.0.1:${portOf("http")}`;
  const stop = (): Promise<void> => {
    stopping.abort(new Error("stop"));
    return running;
  };
  return {
    rtmpPort: portOf("rtmp"),
    httpPort: portOf("http"),
    settings,
    portOf,
    stop,
    get: async (path) => (await fetch(url + path)).json(),
    async metric(line) {
      const page = await (await fetch(`${url}/metrics`)).text();
      const found = page.split("\n").find((one) => one.startsWith(`sluice_${line} `));
      return Number(found?.split(" ").at(-1) ?? 0);
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** Keeps what is logged, so that a test can wait for it. */
export class LogRecorder {
  readonly lines: { readonly level: string; readonly msg: string; readonly fields: LogFields }[] = [];
  readonly log: Log = this.#make({});

  /** The fields of every line of this message. */
  of(msg: string): LogFields[] {
    return this.lines.filter((line) => line.msg === msg).map(({ fields }) => fields);
  }

  async heard(msg: string, count = 1): Promise<LogFields[]> {
    await until(`${count} lines "${msg}" in ${JSON.stringify(this.lines)}`, () => this.of(msg).length >= count);
    return this.of(msg);
  }

  #make(own: LogFields): Log {
    const at = (level: string) => (fields: LogFields, msg: string) =>
      void this.lines.push({ level, msg, fields: { ...own, ...fields } });
    return {
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      child: (fields) => this.#make({ ...own, ...fields }),
    };
  }
}

type Event = RtmpClientEvent;

export class RtmpPeer implements AsyncDisposable {
  readonly engine: RtmpClientEngine;
  readonly events: Event[] = [];
  readonly socket: Socket;
  readonly closed: Promise<void>;
  isClosed = false;
  /** Makes of what the engine says what no engine would. */
  rewrite: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes;

  constructor(port: number, options: Partial<ConnectOptions> = {}) {
    const crypto = {
      randomBytes: (byteCount: number) => randomBytes(byteCount),
      hmacSha256: (key: Uint8Array, bytes: Uint8Array) => createHmac("sha256", key).update(bytes).digest(),
    };
    this.engine = new RtmpClientEngine({ crypto, allocator: new SlabAllocator() });
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.closed = new Promise((resolve) => {
      this.socket.on("error", () => {});
      this.socket.on("close", () => {
        this.isClosed = true;
        resolve();
      });
    });
    this.socket.on("data", (bytes) => this.#hear(bytes));
    this.engine.start({ app: "live", tcUrl: `rtmp://127.0.0.1:${port}/live`, ...options });
    this.flush();
  }

  get codes(): string[] {
    return this.events.flatMap((event) => (event.type === "status" ? [event.code] : []));
  }

  get media(): Extract<Event, { readonly type: "media" }>[] {
    return this.events.filter((event) => event.type === "media");
  }

  flush(): void {
    for (let bytes = this.engine.nextOutput(); bytes !== undefined; bytes = this.engine.nextOutput())
      if (this.socket.writable) this.socket.write(this.rewrite(new Uint8Array(bytes)));
  }

  play(name: string): this {
    this.engine.play(name);
    this.flush();
    return this;
  }

  publish(name: string): this {
    this.engine.publish(name);
    this.flush();
    return this;
  }

  send(kind: "audio" | "video" | "data", timestamp: number, payload: Uint8Array): void {
    this.engine.sendMedia(kind, timestamp, payload);
    this.flush();
  }

  tell(name: string, ...args: readonly (boolean | number | null)[]): void {
    const created = this.events.find((event) => event.type === "stream-created");
    if (created?.type !== "stream-created") throw new Error("No message stream");
    this.engine.tellStream(created.messageStreamId, name, args);
    this.flush();
  }

  async status(code: string, count = 1): Promise<void> {
    await until(`${code} in ${this.codes.join(", ")}`, () => this.codes.filter((one) => one === code).length >= count);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }

  #hear(bytes: Uint8Array): void {
    this.engine.receive(bytes);
    for (let event = this.engine.nextEvent(); event !== undefined; event = this.engine.nextEvent())
      this.events.push(event);
    this.flush();
  }
}

/** A peer whose publish was accepted. */
export async function openPublisher(
  port: number,
  name: string,
  options: Partial<ConnectOptions> = {},
): Promise<RtmpPeer> {
  const peer = new RtmpPeer(port, options).publish(name);
  await peer.status("NetStream.Publish.Start");
  return peer;
}

/** AVC: a sequence header, a key frame, another frame; AAC: a sequence header and a frame. FLV bodies. */
export const AVC_HEADER = Uint8Array.from([
  0x17, 0, 0, 0, 0, 1, 0x64, 0, 0x1f, 0xff, 0xe1, 0, 2, 0x67, 0x64, 1, 0, 1, 0x68,
]);
export const AVC_KEY = Uint8Array.from([0x17, 1, 0, 0, 0, 0, 0, 0, 2, 0x65, 1]);
export const AVC_DELTA = Uint8Array.from([0x27, 1, 0, 0, 0, 0, 0, 0, 2, 0x41, 2]);
export const AAC_HEADER = Uint8Array.from([0xaf, 0, 0x12, 0x10]);
export const AAC_FRAME = Uint8Array.from([0xaf, 1, 0x21, 0]);

/** Set-up, one key frame, and `deltas` more, 40 ms apart. */
export function sendGop(peer: RtmpPeer, from = 0, deltas = 2): void {
  peer.send("video", from, AVC_HEADER);
  peer.send("audio", from, AAC_HEADER);
  peer.send("video", from, AVC_KEY);
  for (let i = 1; i <= deltas; i++) peer.send("video", from + 40 * i, AVC_DELTA);
}

/** Opens a connection, sends `text`, and collects what comes until it closes or `enough` says so. */
export async function talk(
  port: number,
  text: string,
  enough: (heard: string) => boolean = () => false,
): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1" });
  let heard = "";
  socket.on("error", () => {});
  socket.on("data", (bytes) => {
    heard += bytes.toString("latin1");
  });
  let isClosed = false;
  socket.on("close", () => {
    isClosed = true;
  });
  socket.write(text);
  await until(`an end of ${JSON.stringify(heard.slice(0, 200))}`, () => isClosed || enough(heard));
  socket.destroy();
  return heard;
}
