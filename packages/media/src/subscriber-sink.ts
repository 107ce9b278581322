/** Where a subscriber's bytes go: a port, filled by sessions with a socket. */

/** Why a stream lets a subscriber go. */
export type SubscriberEnd = "stream-ended" | "stalled" | "kicked" | "server-stopping";

/** No call may come back into the stream before it returns, except to take this very subscriber off it. */
export interface SubscriberSink {
  /** Bytes to hand over before asking `whenDrained`, while the subscriber catches up; one frame may be more. */
  readonly burstBytes: number;
  /** As much waits for its peer as may: nothing is to be handed over before it drained. Asked of those that catch up. */
  readonly isFull: boolean;
  /** Counts on as the peer takes what it was handed; comparable with itself only. Asked of those that are slow. */
  readonly takenBytes: number;
  /** Hands over bytes that are shared and never change. @returns whether the transport took them whole */
  write(bytes: Uint8Array): boolean;
  /** The same for several pieces, in one go. @param ownBytes  how many of them were made for this subscriber alone */
  writeAll(pieces: readonly Uint8Array[], ownBytes: number): boolean;
  /** Calls back once when everything handed over so far has been taken; never when the transport dies first. */
  whenDrained(resume: () => void): void;
  /** A publisher came or went; protocols with words for it say so. */
  notify(notice: "published" | "unpublished"): void;
  /** No more will come. */
  end(reason: SubscriberEnd): void;
}
