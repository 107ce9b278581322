/** A client of shared objects over RTMP for the bench: sets numbers, counts what it hears, and says when. */
import { createHmac, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { SlabAllocator } from "@sluice/bytes/allocator";
import { RtmpClientEngine } from "@sluice/rtmp/client-engine";
import type { SharedObjectEvent, SharedObjectMessage } from "@sluice/rtmp/shared-object-message";

const CRYPTO = {
  randomBytes: (byteCount: number) => randomBytes(byteCount),
  hmacSha256: (key: Uint8Array, bytes: Uint8Array) => createHmac("sha256", key).update(bytes).digest(),
};

/** A player whose servers tell it the values of its own changes. */
const FLASH_VER = "WIN 32,0,0,465";
export const OBJECT_APP = "bench";

export type Heard = (message: SharedObjectMessage) => void;

export class ObjectClient implements Disposable {
  readonly #engine = new RtmpClientEngine({ crypto: CRYPTO, allocator: new SlabAllocator() });
  readonly #socket: Socket;
  readonly #heard: Heard;
  readonly #opened = new Map<string, () => void>();
  readonly #connected = Promise.withResolvers<void>();

  private constructor(port: number, heard: Heard) {
    this.#heard = heard;
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.on("error", () => {});
    this.#socket.on("data", (bytes) => this.#read(bytes));
    this.#engine.start({ app: OBJECT_APP, tcUrl: `rtmp://127.0.0.1:${port}/${OBJECT_APP}`, flashVer: FLASH_VER });
    this.#flush();
  }

  static async connect(port: number, heard: Heard = () => {}): Promise<ObjectClient> {
    const client = new ObjectClient(port, heard);
    await Promise.race([client.#connected.promise, once(client.#socket, "close")]);
    return client;
  }

  get isClosed(): boolean {
    return this.#socket.destroyed;
  }

  /** Resolves once it is open; asks again where that was refused. */
  async use(name: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#opened.set(name, resolve);
    this.#ask(name, { type: "use" });
    await promise;
  }

  set(name: string, property: string, value: number): void {
    this.#ask(name, { type: "request-change", properties: [[property, value]] });
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #ask(name: string, event: SharedObjectEvent): void {
    this.#engine.sendSharedObject({ encoding: "amf0", name, version: 0, isPersistent: false, events: [event] });
    this.#flush();
  }

  #read(bytes: Uint8Array): void {
    this.#engine.receive(bytes);
    for (let event = this.#engine.nextEvent(); event !== undefined; event = this.#engine.nextEvent()) {
      if (event.type === "connected") this.#connected.resolve();
      if (event.type === "shared-object") this.#take(event.message);
    }
    this.#flush();
  }

  #take(message: SharedObjectMessage): void {
    const opened = this.#opened.get(message.name);
    if (opened !== undefined) {
      if (message.events.some(({ type }) => type === "use-success")) {
        this.#opened.delete(message.name);
        opened();
      } else this.#ask(message.name, { type: "use" });
    }
    this.#heard(message);
  }

  #flush(): void {
    for (let bytes = this.#engine.nextOutput(); bytes !== undefined; bytes = this.#engine.nextOutput())
      if (this.#socket.writable) this.#socket.write(bytes);
  }
}

/** Values of a property in a message, of changes by others or of the client's own. */
export function valuesIn(message: SharedObjectMessage, type: "change" | "change-echo"): number[] {
  return message.events.flatMap((event) =>
    event.type === type ? event.properties.map(([, value]) => Number(value)) : [],
  );
}
