/** Updates the mirror and the lease table from a NATS stream: one watch for the whole process. */
import type { Msg } from "@nats-io/transport-node";
import type { Clock } from "@sluice/base/clock";
import type { Key } from "@sluice/engine/engine";
import type { Epoch } from "@sluice/engine/epoch";
import type { RemoteEngineOptions } from "@sluice/engine/remote/engine-options";
import { FeedLoop, type WatchAttempt } from "@sluice/engine/remote/feed-loop";
import type { Mirror } from "@sluice/engine/remote/mirror";
import { decodeLeaseRecord, type NatsLeaseTable } from "./nats-lease-table.ts";
import { NATS, type NatsClient } from "./nats-client.ts";
import { readWatchedName } from "./nats-names.ts";
import { isRemoval, LEASE_HEADER, type NatsStore } from "./nats-store.ts";
import { NatsWatch } from "./nats-watch.ts";
import { plainCopy } from "@sluice/engine/remote/plain-copy";

export interface NatsFeedParts {
  readonly line: NatsClient;
  readonly store: NatsStore;
  readonly mirror: Mirror;
  readonly leases: NatsLeaseTable;
  /** Called for each removal marker. */
  readonly onMarker: (subject: string, sequence: number) => void;
}

export class NatsFeed {
  readonly loop: FeedLoop;
  readonly #parts: NatsFeedParts;
  readonly #options: RemoteEngineOptions;
  readonly #clock: Clock;
  /** Sequence of the last message of the present watch, and the newest in the store at the last audit. */
  #heard = 0;
  #promised = 0;

  constructor(parts: NatsFeedParts, options: RemoteEngineOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#clock = options.clock;
    const follow = (attempt: WatchAttempt, hasRead: () => void): Promise<void> => this.#follow(attempt, hasRead);
    this.loop = new FeedLoop({ engine: NATS, mirror: parts.mirror, follow }, options);
    parts.line.listen({ onUp: () => this.loop.wake(), onDown: () => this.loop.doubt("the connection is gone") });
  }

  async #follow(attempt: WatchAttempt, onRead: () => void): Promise<void> {
    const { line, store, mirror, leases } = this.#parts;
    await store.find();
    const { generation } = store;
    mirror.beginReload();
    mirror.heard({ generation, number: 0 });
    leases.clear();
    this.#heard = this.#promised = 0;
    const onMessage = (message: Msg, number: number): void => {
      this.#apply(message, { generation, number });
      this.#heard = number;
      mirror.heard({ generation, number });
    };
    const audit = (): Promise<void> => this.#audit(attempt);
    await new NatsWatch({ line, store, attempt, onMessage, onRead, audit }, this.#options).run();
  }

  /** Finds messages that the server failed to deliver, from one audit to the next, and manual purges, which no watch reports. */
  async #audit(attempt: WatchAttempt): Promise<void> {
    const { mirror, store } = this.#parts;
    if (this.#heard < this.#promised) return attempt.doubt(`message ${this.#promised} was not delivered`);
    this.#promised = await store.lastWatched();
    const standing = [...mirror.entries()];
    if (standing.length === 0) return;
    const first = await store.firstSequence();
    const isMissing = ({ key, revision }: { readonly key: Key; readonly revision: Epoch }): boolean =>
      revision.number < first && mirror.find(key)?.revision.number === revision.number;
    if (standing.some(isMissing)) attempt.doubt("entries were purged");
  }

  #apply(message: Msg, revision: Epoch): void {
    const name = readWatchedName(message.subject);
    if (name === undefined) return;
    const isRemoved = isRemoval(message.headers);
    if (isRemoved) this.#parts.onMarker(message.subject, revision.number);
    if (name.kind === "key") this.#applyKey(name.key, message, revision);
    else if (isRemoved) this.#parts.leases.hearLeaseRemoved(name.slot);
    else this.#applyLease(name.slot, revision.number, message.data);
  }

  #applyKey(key: Key, message: Msg, revision: Epoch): void {
    const { mirror, leases } = this.#parts;
    if (isRemoval(message.headers)) {
      leases.hearKeyRemoved(key);
      mirror.remove(key, revision);
    } else {
      leases.hearKey(key, message.headers?.get(LEASE_HEADER) ?? "");
      mirror.put({ key, value: plainCopy(message.data), revision });
    }
  }

  #applyLease(slot: number, sequence: number, data: Uint8Array): void {
    const record = decodeLeaseRecord(slot, sequence, data);
    if (record === undefined) this.#parts.leases.hearLeaseRemoved(slot);
    else this.#parts.leases.hearLease(record, this.#clock.now());
  }
}
