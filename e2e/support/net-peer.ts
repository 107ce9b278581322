/** A plain WebSocket client of `sluice.v1`, in either encoding: what it says is written by hand, what it hears is kept. */
import { decodeMessage, encodeMessagePackMessage } from "@sluice/client/contract/codec";
import type { PlainValue } from "@sluice/client/contract/plain-value";
import type { ClientRequest, Encoding, WishedOperation } from "@sluice/client/contract/sluice-v1";
import { until } from "@sluice/testkit/until";
import { WebSocket } from "ws";

export interface NetPeerOptions {
  readonly encoding?: Encoding;
  readonly origin?: string;
}

export type Heard = Readonly<Record<string, PlainValue>>;

type Unnumbered<T> = T extends unknown ? Omit<T, "id"> : never;

export class NetPeer implements AsyncDisposable {
  readonly webSocket: WebSocket;
  /** All messages, in order. */
  readonly heard: Heard[] = [];
  /** Properties of each open object, as the deliveries made them. */
  readonly objects = new Map<string, Map<string, PlainValue>>();
  /** Where each object stands. */
  readonly positions = new Map<string, string>();
  closed: { readonly code: number; readonly reason: string } | undefined;
  /** HTTP status where there was no upgrade. */
  refused: number | undefined;
  client = "";
  readonly #encoding: Encoding;
  #lastId = 0;

  constructor(url: string, { encoding = "json", origin }: NetPeerOptions = {}) {
    this.#encoding = encoding;
    this.webSocket = new WebSocket(url.replace(/^http/, "ws"), "sluice.v1", origin === undefined ? {} : { origin });
    this.webSocket.on("error", () => {});
    this.webSocket.on("unexpected-response", (request, response) => {
      this.refused = response.statusCode;
      request.destroy();
    });
    this.webSocket.on("message", (bytes: Buffer, isBinary) => this.#hear(isBinary ? bytes : bytes.toString()));
    this.webSocket.on("close", (code, reason) => (this.closed = { code, reason: reason.toString() }));
  }

  async connect(): Promise<this> {
    await until("an upgrade", () => (this.webSocket.readyState === 1 || this.refused !== undefined ? true : undefined));
    if (this.refused !== undefined) throw new Error(`No upgrade: ${this.refused}`);
    this.client = String((await this.ask({ type: "connect" }))["client"]);
    return this;
  }

  /** @returns the answer */
  ask(request: Unnumbered<ClientRequest>): Promise<Heard> {
    const id = ++this.#lastId;
    const message = { id, ...request } as ClientRequest;
    this.webSocket.send(this.#encoding === "json" ? JSON.stringify(message) : encodeMessagePackMessage(message));
    const find = (): Heard | undefined =>
      this.heard.find(({ type, id: answered }) => type === "answer" && answered === id);
    return until(`the answer to ${JSON.stringify(message)}`, find);
  }

  open(name: string, from?: string): Promise<Heard> {
    return this.ask({ type: "open", name, ...(from !== undefined && { from }) });
  }

  write(object: string, ...operations: readonly WishedOperation[]): Promise<Heard> {
    return this.ask({ type: "write", object, operations });
  }

  /** Until a property has this value here. */
  sees(object: string, name: string, value: PlainValue): Promise<true> {
    return until(`${object}.${name} = ${String(value)}, has ${String(this.objects.get(object)?.get(name))}`, () =>
      this.objects.get(object)?.get(name) === value ? true : undefined,
    );
  }

  /** Messages of one object that came as such. */
  messages(object: string): PlainValue[] {
    return this.heard
      .filter((one) => one["type"] === "change" && one["object"] === object)
      .flatMap(({ operations }) => operations as readonly Heard[])
      .flatMap(({ type, arguments: args }) => (type === "message" ? [args] : []));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.webSocket.terminate();
    await until("the end of the WebSocket", () => (this.webSocket.readyState === 3 ? true : undefined));
  }

  #hear(payload: string | Uint8Array): void {
    const message: Heard = decodeMessage(payload);
    this.heard.push(message);
    const object = String(message["object"]);
    if (message["type"] === "snapshot") {
      const properties = message["properties"] as readonly Heard[];
      this.objects.set(object, new Map(properties.map(({ name, value }) => [String(name), value])));
      this.positions.set(object, String(message["at"]));
    }
    if (message["type"] !== "change") return;
    if (message["from"] !== this.positions.get(object)) throw new Error(`A gap: ${JSON.stringify(message)}`);
    this.positions.set(object, String(message["to"]));
    for (const operation of message["operations"] as readonly Heard[]) this.#do(object, operation);
  }

  #do(object: string, { type, name, value }: Heard): void {
    const properties = this.objects.get(object);
    if (type === "set") properties?.set(String(name), value);
    if (type === "remove") properties?.delete(String(name));
    if (type === "clear") properties?.clear();
  }
}
