/** A plain WebSocket client of `sluice.v1`, in either encoding, which takes any certificate: what it says is written by hand, what it hears is kept. */
import { decodeMessage, encodeMessagePackMessage } from "@sluice/client/contract/codec";
import type { PlainValue } from "@sluice/client/contract/plain-value";
import type {
  Answer,
  ChangeMessage,
  ClientRequest,
  Encoding,
  Operation,
  Refused,
  ServerMessage,
  Success,
  WishedOperation,
} from "@sluice/client/contract/sluice-v1";
import { until } from "@sluice/testkit/until";
import { WebSocket } from "ws";

export interface NetPeerOptions {
  readonly encoding?: Encoding;
  readonly origin?: string;
}

/** Every field that an answer may have. */
export type AnyAnswer = Partial<Omit<Success, "status"> & Omit<Refused, "status">> & Pick<Answer, "status">;

type Unnumbered<T> = T extends unknown ? Omit<T, "id"> : never;

export class NetPeer implements AsyncDisposable {
  readonly webSocket: WebSocket;
  /** All messages, in order. */
  readonly heard: ServerMessage[] = [];
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
    const page = origin === undefined ? {} : { origin };
    this.webSocket = new WebSocket(url.replace(/^http/, "ws"), "sluice.v1", { ...page, rejectUnauthorized: false });
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
    this.client = (await this.ask({ type: "connect" })).client ?? "";
    return this;
  }

  /** @returns the answer */
  ask(request: Unnumbered<ClientRequest>): Promise<AnyAnswer> {
    const id = ++this.#lastId;
    const message = { id, ...request } as ClientRequest;
    this.webSocket.send(this.#encoding === "json" ? JSON.stringify(message) : encodeMessagePackMessage(message));
    return until(`the answer to ${JSON.stringify(message)}`, () =>
      this.heard.find((one) => one.type === "answer" && one.id === id),
    ) as Promise<AnyAnswer>;
  }

  open(name: string, from?: string): Promise<AnyAnswer> {
    return this.ask({ type: "open", name, ...(from !== undefined && { from }) });
  }

  write(object: string, ...operations: readonly WishedOperation[]): Promise<AnyAnswer> {
    return this.ask({ type: "write", object, operations });
  }

  /** Until a property has this value here. */
  sees(object: string, name: string, value: PlainValue): Promise<true> {
    return until(`${object}.${name} to be ${JSON.stringify(value)}`, () =>
      this.objects.get(object)?.get(name) === value ? true : undefined,
    );
  }

  changes(object: string): ChangeMessage[] {
    return this.heard.filter((one) => one.type === "change").filter((change) => change.object === object);
  }

  /** Arguments of the messages of one object. */
  messages(object: string): (readonly PlainValue[])[] {
    const operations = this.changes(object).flatMap((change) => change.operations);
    return operations.flatMap((one) => (one.type === "message" ? [one.arguments] : []));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.webSocket.terminate();
    await until("the end of the WebSocket", () => (this.webSocket.readyState === 3 ? true : undefined));
  }

  #hear(payload: string | Uint8Array): void {
    const message = decodeMessage(payload) as unknown as ServerMessage;
    this.heard.push(message);
    if (message.type === "snapshot") {
      this.objects.set(message.object, new Map(message.properties.map(({ name, value }) => [name, value])));
      this.positions.set(message.object, message.at);
    }
    if (message.type !== "change") return;
    if (message.from !== this.positions.get(message.object)) throw new Error(`A gap: ${JSON.stringify(message)}`);
    this.positions.set(message.object, message.to);
    const properties = this.objects.get(message.object) ?? new Map<string, PlainValue>();
    this.objects.set(message.object, properties);
    for (const operation of message.operations) apply(operation, properties);
  }
}

function apply(operation: Operation, properties: Map<string, PlainValue>): void {
  if (operation.type === "set") properties.set(operation.name, operation.value);
  if (operation.type === "remove") properties.delete(operation.name);
  if (operation.type === "clear") properties.clear();
}
