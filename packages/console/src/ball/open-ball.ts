// The ball as a shared object over `sluice.v1`.
import { BALL } from "@sluice/client/contract/ball";
import { decodeMessage, encodeJsonMessage } from "@sluice/client/contract/codec";
import type {
  Answer,
  ChangeMessage,
  ClientMessage,
  SnapshotMessage,
  WishedOperation,
} from "@sluice/client/contract/sluice-v1";
import { SLUICE_V1 } from "@sluice/client/contract/sluice-v1";
import type { PlainValue } from "@sluice/client/contract/plain-value";
import { type BallEvents, type SharedBall, stateOf } from "./shared-ball.ts";

export function openBall(events: BallEvents): SharedBall {
  const ball = new SocketBall(events);
  ball.connect();
  return ball;
}

class SocketBall implements SharedBall {
  readonly #events: BallEvents;
  readonly #properties = new Map<string, PlainValue>();
  readonly #waiting = new Map<number, (failure: string | undefined) => void>();
  #socket: WebSocket | undefined;
  /** Why the node does not let the page in. */
  #refused = "";
  #id = 0;

  constructor(events: BallEvents) {
    this.#events = events;
  }

  connect(): void {
    this.#events.connection({ at: "connecting" });
    this.#refused = "";
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/${BALL.app}`, SLUICE_V1);
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.#send({ type: "connect", id: ++this.#id, agent: "ball page" });
      this.#send({ type: "open", id: ++this.#id, name: BALL.name });
    });
    socket.addEventListener("message", ({ data }: MessageEvent<string>) => this.#receive(data));
    socket.addEventListener("close", () => {
      for (const resolve of this.#waiting.values()) resolve("lost");
      this.#waiting.clear();
      this.#events.connection({
        at: "lost",
        reason: this.#refused ? `The node refuses: ${this.#refused}` : "The node does not answer: trying again",
      });
      setTimeout(() => this.connect(), 1_000);
    });
  }

  change({ spot, holder }: Parameters<SharedBall["change"]>[0]): Promise<string | undefined> {
    const operations: WishedOperation[] = [];
    if (spot !== undefined) operations.push(set("x", spot.x), set("y", spot.y));
    if (holder !== undefined) operations.push(set("by", holder === null ? null : { ...holder }));
    const id = ++this.#id;
    if (this.#socket?.readyState !== WebSocket.OPEN) return Promise.resolve("not connected");
    this.#send({ type: "write", id, object: BALL.path, operations });
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  #send(message: ClientMessage): void {
    this.#socket?.send(encodeJsonMessage(message));
  }

  #receive(data: string): void {
    const message = decodeMessage(data) as unknown as Answer | ChangeMessage | SnapshotMessage;
    if (message.type === "answer") {
      if ("node" in message && message.node !== undefined) this.#events.connection({ at: "open", node: message.node });
      if (message.status === "refused" && !this.#waiting.has(message.id))
        this.#refused = message.detail || message.code;
      this.#waiting.get(message.id)?.(message.status === "refused" ? message.code : undefined);
      this.#waiting.delete(message.id);
      return;
    }
    if (message.type === "snapshot") {
      this.#properties.clear();
      for (const { name, value } of message.properties) this.#properties.set(name, value);
    } else if (message.type === "change") {
      for (const operation of message.operations) {
        if (operation.type === "set") this.#properties.set(operation.name, operation.value);
        if (operation.type === "remove") this.#properties.delete(operation.name);
        if (operation.type === "clear") this.#properties.clear();
      }
    } else return;
    this.#events.changed(stateOf(this.#properties));
  }
}

function set(name: string, value: PlainValue): WishedOperation {
  return { type: "set", name, value };
}
