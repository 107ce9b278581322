/** An RTMP client on a socket: joins the sans-I/O engine of @sluice/rtmp with node:net or node:tls. */
import { createHmac, randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { SlabAllocator } from "@sluice/bytes/allocator";
import { RtmpClientEngine } from "@sluice/rtmp/client-engine";
import type { RtmpClientEvent } from "@sluice/rtmp/client-event";

const CRYPTO = {
  randomBytes: (byteCount: number): Uint8Array => randomBytes(byteCount),
  hmacSha256: (key: Uint8Array, bytes: Uint8Array): Uint8Array => createHmac("sha256", key).update(bytes).digest(),
};

/** The last part of the path is the stream name, the rest the application. */
export function splitUrl(url: URL): { readonly app: string; readonly streamName: string } {
  const parts = url.pathname.split("/").filter((part) => part !== "");
  return { app: parts.slice(0, -1).join("/"), streamName: (parts.at(-1) ?? "") + url.search };
}

function openSocket(url: URL): Socket {
  const port = Number(url.port) || (url.protocol === "rtmps:" ? 443 : 1935);
  const socket =
    url.protocol === "rtmps:"
      ? connectTls({ port, host: url.hostname, servername: url.hostname, rejectUnauthorized: false })
      : connect(port, url.hostname);
  return socket.setNoDelay(true);
}

export class RtmpClient implements Disposable {
  readonly engine = new RtmpClientEngine({ crypto: CRYPTO, allocator: new SlabAllocator(), chunkSize: 4096 });
  readonly #socket: Socket;

  constructor(url: URL, intent: "publish" | "play", onEvent: (event: RtmpClientEvent) => void, onEnd: () => void) {
    const { app, streamName } = splitUrl(url);
    this.#socket = openSocket(url);
    this.engine.start({ app, tcUrl: `rtmp://${url.host}/${app}` });
    if (intent === "publish") this.engine.publish(streamName);
    else this.engine.play(streamName);
    this.flush();
    this.#socket.on("error", () => undefined);
    this.#socket.on("close", onEnd);
    this.#socket.on("data", (bytes) => {
      try {
        this.engine.receive(bytes);
        for (let event = this.engine.nextEvent(); event; event = this.engine.nextEvent()) onEvent(event);
        this.flush();
      } catch (error) {
        this.#socket.destroy(error instanceof Error ? error : undefined);
      }
    });
  }

  /** Writes the engine's output to the socket. */
  flush(): void {
    for (let out = this.engine.nextOutput(); out; out = this.engine.nextOutput()) this.#socket.write(out);
  }

  [Symbol.dispose](): void {
    this.engine.close();
    this.flush();
    this.#socket.end();
  }
}
