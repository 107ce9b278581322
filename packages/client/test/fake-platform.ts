/** A platform for tests: its clock is moved by hand, its sockets are played by the test. */
import { decodeMessage, encodeJsonMessage } from "@sluice/client/contract/codec";
import type { ServerMessage } from "@sluice/client/contract/sluice-v1";
import type { Platform, SocketEvents } from "@sluice/client/sdk/platform";
import { FakeClock } from "@sluice/testkit/fake-clock";

export class FakeSocket {
  readonly url: string;
  readonly sent: (string | Uint8Array)[] = [];
  readonly #events: SocketEvents;
  closedWith: number | undefined;

  constructor(url: string, events: SocketEvents) {
    this.url = url;
    this.#events = events;
  }

  /** Requests as the server reads them. */
  get requests(): Record<string, unknown>[] {
    return this.sent.map((frame) => ({ ...decodeMessage(frame) }));
  }

  open(): void {
    this.#events.opened();
  }

  receive(message: ServerMessage | string | Uint8Array): void {
    const isFrame = typeof message === "string" || message instanceof Uint8Array;
    this.#events.received(isFrame ? message : encodeJsonMessage(message));
  }

  break(code = 1006, reason = ""): void {
    this.#events.closed(code, reason);
  }

  /** The upgrade, and a friendly answer to `connect`. */
  welcome(client: string): void {
    this.open();
    this.receive({ type: "answer", id: 1, status: "success", client, node: "n1" });
  }
}

export class FakePlatform implements Platform {
  readonly clock = new FakeClock();
  readonly sockets: FakeSocket[] = [];

  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error("nothing was dialled");
    return socket;
  }

  open(url: string, events: SocketEvents): { send(frame: string | Uint8Array): void; close(code: number): void } {
    const socket = new FakeSocket(url, events);
    this.sockets.push(socket);
    return { send: (frame) => socket.sent.push(frame), close: (code) => (socket.closedWith = code) };
  }

  now(): number {
    return this.clock.now();
  }

  after(delay: number, action: () => void): { cancel(): void } {
    return this.clock.after(delay as never, action);
  }

  random(): number {
    return 1;
  }
}
