/** A RESP client for tests: sends requests as given, and tells replies apart as finely as the protocol does. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** `error` and `simple` lines are told from bulk strings by their first character, which stays. */
export type Reply =
  | string
  | number
  | null
  | readonly Reply[]
  | { readonly [Kind in "map" | "set" | "push"]?: readonly Reply[] };

interface Parsed {
  readonly reply: Reply;
  readonly next: number;
}

export class RespClient implements AsyncDisposable {
  readonly #socket: Socket;
  #bytes = Buffer.alloc(0);
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes) => {
      this.#bytes = Buffer.concat([this.#bytes, bytes]);
      this.#wake();
    });
    socket.on("close", () => this.#wake());
    socket.on("error", () => {});
  }

  static async open(port: number): Promise<RespClient> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    return new RespClient(socket);
  }

  /** Sends all at once, and answers their replies in order. */
  async ask(requests: readonly (readonly string[])[]): Promise<Reply[]> {
    this.#socket.write(Buffer.from(requests.map(encodeRequest).join(""), "latin1"));
    const replies: Reply[] = [];
    while (replies.length < requests.length) replies.push(await this.#next());
    return replies;
  }

  /** Bytes as they are; answers everything up to the end of the connection. */
  async raw(text: string): Promise<string> {
    this.#socket.write(Buffer.from(text, "latin1"));
    if (!this.#socket.readableEnded) await once(this.#socket, "close");
    return this.#bytes.toString("latin1");
  }

  async #next(): Promise<Reply> {
    for (;;) {
      const parsed = parseReply(this.#bytes, 0);
      if (parsed !== undefined) {
        this.#bytes = this.#bytes.subarray(parsed.next);
        return parsed.reply;
      }
      if (this.#socket.closed) throw new Error(`Cannot read reply: closed behind ${this.#bytes.toString("latin1")}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
  }
}

export function encodeRequest(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
}

function parseReply(bytes: Buffer, at: number): Parsed | undefined {
  const lineEnd = bytes.indexOf("\r\n", at);
  if (lineEnd < 0) return undefined;
  const type = String.fromCharCode(bytes[at] as number);
  const line = bytes.toString("latin1", at + 1, lineEnd);
  const next = lineEnd + 2;
  if (type === "+" || type === "-") return { reply: type + line, next };
  if (type === ":") return { reply: Number(line), next };
  if (type === "_" || line === "-1") return { reply: null, next };
  const length = Number(line);
  if (type === "$" || type === "=") {
    if (bytes.length < next + length + 2) return undefined;
    return { reply: bytes.toString("latin1", next, next + length), next: next + length + 2 };
  }
  const list = parseList(bytes, next, type === "%" ? 2 * length : length);
  const kind = ({ "%": "map", "~": "set", ">": "push" } as const)[type];
  return list === undefined || kind === undefined ? list : { reply: { [kind]: list.reply }, next: list.next };
}

function parseList(bytes: Buffer, start: number, count: number): { reply: readonly Reply[]; next: number } | undefined {
  const replies: Reply[] = [];
  let next = start;
  for (let i = 0; i < count; i++) {
    const parsed = parseReply(bytes, next);
    if (parsed === undefined) return undefined;
    replies.push(parsed.reply);
    next = parsed.next;
  }
  return { reply: replies, next };
}
