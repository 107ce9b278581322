/** What went over one link, and what was meant to and did not. */
import type { ChannelClass } from "./channel.ts";

export class LinkCounts {
  bytesIn = 0;
  bytesOut = 0;
  messagesIn = 0;
  messagesOut = 0;
  /** Frames of an unknown type that may be skipped. */
  framesSkipped = 0;
  /** Messages that were not sent, by class and reason. */
  readonly drops: Readonly<Record<ChannelClass, Map<string, number>>> = {
    control: new Map(),
    state: new Map(),
    media: new Map(),
    bulk: new Map(),
  };

  /** @param reason  `full` for a queue at its limit, or what a user of the link says, from a small closed set */
  noteDrop(kind: ChannelClass, reason: string): void {
    const drops = this.drops[kind];
    drops.set(reason, (drops.get(reason) ?? 0) + 1);
  }
}
