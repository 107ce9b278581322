/** The message streams of one connection, and what each of them is doing. */
import { RtmpLimitError } from "./errors.ts";
import type { MessageStreamId } from "./ids.ts";
import type { RtmpLimits } from "./limits.ts";

export type MessageStreamState =
  | { readonly at: "idle" }
  | { readonly at: "publish-pending" | "publishing"; readonly streamName: string }
  | { readonly at: "play-pending" | "playing"; readonly streamName: string };

const IDLE: MessageStreamState = { at: "idle" };

export class MessageStreams {
  readonly #maximum: number;
  readonly #states = new Map<MessageStreamId, MessageStreamState>();

  constructor(limits: RtmpLimits) {
    this.#maximum = limits.messageStreams;
  }

  /** The lowest free id from 1 on; `undefined` at the limit. */
  create(): MessageStreamId | undefined {
    if (this.#states.size >= this.#maximum) return undefined;
    let id = 1;
    while (this.#states.has(id as MessageStreamId)) id++;
    this.#states.set(id as MessageStreamId, IDLE);
    return id as MessageStreamId;
  }

  /** Idle for streams that were never created. */
  stateOf(id: MessageStreamId): MessageStreamState {
    return this.#states.get(id) ?? IDLE;
  }

  /** Opens the stream if need be, since some clients do not wait for createStream. @throws {RtmpLimitError} */
  setState(id: MessageStreamId, state: MessageStreamState): void {
    if (!this.#states.has(id) && this.#states.size >= this.#maximum)
      throw new RtmpLimitError({ limit: "messageStreams", value: this.#states.size + 1, maximum: this.#maximum });
    this.#states.set(id, state);
  }

  delete(id: MessageStreamId): void {
    this.#states.delete(id);
  }

  /** Whether media may flow on any of them. */
  get hasMedia(): boolean {
    for (const { at } of this.#states.values()) if (at === "publishing" || at === "playing") return true;
    return false;
  }

  get hasPublisher(): boolean {
    for (const state of this.#states.values()) if (isPublishing(state)) return true;
    return false;
  }

  /** The stream that media sent on `id` belongs to: stream 0 stands for the only one that publishes. */
  findPublishing(id: MessageStreamId): MessageStreamId | undefined {
    if (isPublishing(this.stateOf(id))) return id;
    return id === 0 ? this.findOnlyPublishing() : undefined;
  }

  findOnlyPublishing(): MessageStreamId | undefined {
    const ids = [...this.#states].filter(([, state]) => isPublishing(state)).map(([id]) => id);
    return ids.length === 1 ? ids[0] : undefined;
  }

  findPublishingName(streamName: string): MessageStreamId | undefined {
    for (const [id, state] of this.#states) {
      if (isPublishing(state) && "streamName" in state && state.streamName === streamName) return id;
    }
    return undefined;
  }
}

function isPublishing(state: MessageStreamState): boolean {
  return state.at === "publishing" || state.at === "publish-pending";
}
