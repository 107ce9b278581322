/** Viewers of FLV over HTTP and WebSocket that keep every tag they were sent. */
import { get as httpGet, type IncomingHttpHeaders } from "node:http";
import { get as httpsGet } from "node:https";
import type { FlvHeader } from "@sluice/formats/flv/flv-tag";
import { WebSocket } from "ws";
import { FlvReader, type Unit } from "./units.ts";
import { until } from "@sluice/testkit/until";

export class FlvViewer implements AsyncDisposable {
  readonly units: Unit[] = [];
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Resolves when the server ended it or the connection broke. */
  readonly ended: Promise<void>;
  readonly #reader = new FlvReader();
  readonly #destroy: () => void;
  #failure: Error | undefined;
  #isEnded = false;

  constructor(from: {
    readonly status: number;
    readonly headers: IncomingHttpHeaders;
    readonly destroy: () => void;
    readonly listen: (bytes: (bytes: Uint8Array) => void, ended: () => void) => void;
  }) {
    this.status = from.status;
    this.headers = from.headers;
    this.#destroy = from.destroy;
    const reader = this.#reader;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    const take = (bytes: Uint8Array): void => {
      try {
        this.units.push(...reader.take(bytes));
      } catch (error) {
        this.#failure = error as Error;
        from.destroy();
      }
    };
    from.listen(take, () => {
      this.#isEnded = true;
      resolve();
    });
  }

  get flvHeader(): FlvHeader | undefined {
    return this.#reader.header;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  heardUnits(count: number, waitMillis?: number): Promise<true> {
    const look = (): true | undefined => {
      if (this.#failure !== undefined) throw this.#failure;
      return this.units.length >= count ? true : undefined;
    };
    return until(`${count} units`, look, waitMillis);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#destroy();
    await this.ended;
  }
}

/** @param url  http or https; any certificate will do */
export function watchHttp(url: string): Promise<FlvViewer> {
  return new Promise((resolve, reject) => {
    const get = url.startsWith("https:") ? httpsGet : httpGet;
    const request = get(url, { agent: false, rejectUnauthorized: false }, (response) => {
      const viewer = new FlvViewer({
        status: response.statusCode ?? 0,
        headers: response.headers,
        destroy: () => void request.destroy(),
        listen(bytes, ended) {
          if (response.statusCode === 200) response.on("data", bytes);
          else response.resume();
          response.on("error", () => {});
          response.once("close", ended);
        },
      });
      resolve(viewer);
    });
    request.on("error", reject);
  });
}

/** @param url  ws or wss; any certificate will do */
export function watchWebSocket(url: string): Promise<FlvViewer> {
  return new Promise((resolve, reject) => {
    const webSocket = new WebSocket(url, { rejectUnauthorized: false });
    webSocket.binaryType = "nodebuffer";
    const viewer = new FlvViewer({
      status: 101,
      headers: {},
      destroy: () => webSocket.terminate(),
      listen(bytes, ended) {
        webSocket.on("message", (data) => bytes(data as Buffer));
        webSocket.once("close", ended);
      },
    });
    webSocket.once("open", () => resolve(viewer));
    webSocket.once("error", reject);
  });
}
