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
import { CLOSE_CODES, SLUICE_V1 } from "@sluice/client/contract/sluice-v1";
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
  /** Id of the request that opens the ball. */
  #opening = 0;
  #node = "";

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
      this.#open();
    });
    socket.addEventListener("message", ({ data }: MessageEvent<string>) => this.#receive(data));
    socket.addEventListener("close", ({ code }) => {
      for (const resolve of this.#waiting.values()) resolve("lost");
      this.#waiting.clear();
      this.#events.connection({ at: "lost", reason: this.#reason(code) });
      setTimeout(() => this.connect(), 1_000);
    });
  }

  #open(): void {
    this.#opening = ++this.#id;
    this.#send({ type: "open", id: this.#opening, name: BALL.name });
  }

  #reason(code: number): string {
    if (this.#refused !== "") return `The node refuses: ${this.#refused}`;
    const isLeaving = code === CLOSE_CODES.stopping || code === CLOSE_CODES.moved;
    return isLeaving
      ? "This node goes out of service: open the ball on another one"
      : "The node does not answer: trying again";
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
    if (message.type === "answer") return this.#answered(message);
    if (message.type === "snapshot") {
      this.#events.connection({ at: "open", node: this.#node });
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

  #answered(answer: Answer): void {
    if (answer.status === "success") this.#node = answer.node ?? this.#node;
    else if (answer.id === this.#opening) return this.#notOpened(answer.code, answer.detail);
    else if (!this.#waiting.has(answer.id)) this.#refused = answer.detail || answer.code;
    this.#waiting.get(answer.id)?.(answer.status === "refused" ? answer.code : undefined);
    this.#waiting.delete(answer.id);
  }

  /** A node that has just started may not know yet where the ball is. */
  #notOpened(code: string, detail: string): void {
    const reason =
      code === "unavailable" ? "The ball has no home yet: trying again" : `The node refuses: ${detail || code}`;
    this.#events.connection({ at: "lost", reason });
    const socket = this.#socket;
    setTimeout(() => {
      if (this.#socket === socket && socket?.readyState === WebSocket.OPEN) this.#open();
    }, 1_000);
  }
}

function set(name: string, value: PlainValue): WishedOperation {
  return { type: "set", name, value };
}
