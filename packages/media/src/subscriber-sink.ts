/** Where a subscriber's bytes go: a port, filled by sessions with a socket. */

/** Why a stream ends a subscriber. */
export type SubscriberEnd = "stream-ended" | "stalled" | "kicked" | "server-stopping";

/** No method may call back into the stream before it returns, except to unsubscribe this very subscriber. */
export interface SubscriberSink {
  /** Bytes to hand over before asking `whenDrained`, while the subscriber catches up; one frame may be more. */
  readonly burstBytes: number;
  /** The limit of bytes that wait for this peer is reached: hand over nothing before it drained. Asked during catch-up. */
  readonly isFull: boolean;
  /** Rises as the peer takes bytes; only differences mean anything. Asked of slow subscribers. */
  readonly takenBytes: number;
  /** Hands over bytes that are shared and never change. @returns whether the transport took them whole */
  write(bytes: Uint8Array): boolean;
  /** The same for several pieces, in one go. @param ownBytes  how many of them were made for this subscriber alone */
  writeAll(pieces: readonly Uint8Array[], ownBytes: number): boolean;
  /** Calls back once when everything handed over so far has been taken; never when the transport dies first. */
  whenDrained(resume: () => void): void;
  /** A publisher came or went; sent where the protocol has a message for it. */
  notify(notice: "published" | "unpublished"): void;
  /** Nothing more will be written. */
  end(reason: SubscriberEnd): void;
}
