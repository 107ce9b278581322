/** Counts of what one link sent, received and dropped. */
import type { ChannelClass } from "./channel.ts";

export class LinkCounts {
  bytesIn = 0;
  bytesOut = 0;
  messagesIn = 0;
  messagesOut = 0;
  /** Skipped frames of unknown types. */
  framesSkipped = 0;
  /** Messages that were not sent, by class and reason. */
  readonly drops: Readonly<Record<ChannelClass, Map<string, number>>> = {
    control: new Map(),
    state: new Map(),
    media: new Map(),
    bulk: new Map(),
  };

  /** @param reason  `full` for a queue at its limit, or a reason of the link's user, from a small closed set */
  noteDrop(kind: ChannelClass, reason: string): void {
    const drops = this.drops[kind];
    drops.set(reason, (drops.get(reason) ?? 0) + 1);
  }
}
