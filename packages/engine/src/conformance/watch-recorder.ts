/** Reads a watch or a subscription in the background and records it for later checks. */
import type { Entry, Key, WatchEvent } from "../engine.ts";
import { compareEpochs, type Epoch, formatEpoch } from "../epoch.ts";

export class MessageRecorder<T> {
  readonly items: T[] = [];
  #end: "open" | "ended" | { readonly failure: unknown } = "open";

  constructor(source: AsyncIterable<T>, onItem?: (item: T) => void) {
    void this.#drain(source, onItem);
  }

  get isEnded(): boolean {
    return this.#end === "ended";
  }

  /** Set when the iteration rejected, which is always wrong. */
  get failure(): string | undefined {
    return typeof this.#end === "string" ? undefined : String(this.#end.failure);
  }

  async #drain(source: AsyncIterable<T>, onItem?: (item: T) => void): Promise<void> {
    try {
      for await (const item of source) {
        this.items.push(item);
        onItem?.(item);
      }
      this.#end = "ended";
    } catch (failure) {
      this.#end = { failure };
    }
  }
}

/** The view that a watcher builds by the port's contract, and violations of that contract. */
export class WatchRecorder {
  readonly entries = new Map<Key, Entry>();
  readonly violations: string[] = [];
  readonly recorder: MessageRecorder<WatchEvent>;
  #state: "unopened" | "filling" | "current" | "stale" = "unopened";
  #resetCount = 0;
  readonly #last = new Map<Key, Epoch>();

  constructor(source: AsyncIterable<WatchEvent>) {
    this.recorder = new MessageRecorder(source, (event) => this.#follow(event));
  }

  get state(): "unopened" | "filling" | "current" | "stale" {
    return this.#state;
  }

  get resetCount(): number {
    return this.#resetCount;
  }

  #follow(event: WatchEvent): void {
    if (this.#state === "unopened" && event.type !== "reset") this.violations.push(`${event.type} before any reset`);
    switch (event.type) {
      case "reset":
        this.entries.clear();
        this.#last.clear();
        this.#resetCount++;
        this.#state = "filling";
        return;
      case "current":
        if (this.#state !== "filling") this.violations.push("current without a reset");
        this.#state = "current";
        return;
      case "stale":
        this.#state = "stale";
        return;
      case "put":
        this.#order(event.entry.key, event.entry.revision);
        this.entries.set(event.entry.key, event.entry);
        break;
      case "deleted":
        this.#order(event.key, event.revision);
        this.entries.delete(event.key);
        break;
    }
    if (this.#state === "stale") this.#state = "current";
  }

  #order(key: Key, revision: Epoch): void {
    const last = this.#last.get(key);
    if (last !== undefined && compareEpochs(revision, last) < 0) {
      this.violations.push(`${JSON.stringify(key)} went back from ${formatEpoch(last)} to ${formatEpoch(revision)}`);
    }
    this.#last.set(key, revision);
  }
}
