/** A port for who takes a stream's frames as they are stamped, to pass them on to another node. */
import type { Frame } from "./frame.ts";
import type { SubscriberEnd } from "./subscriber-sink.ts";

/** No method may call back into the stream before it returns, except to close this very tap. */
export interface Tap {
  /** Its bytes are the stream's: copy what outlives the call. */
  take(frame: Frame): void;
  /** The frames of one arrival were taken. */
  deliver(): void;
  notify(notice: "published" | "unpublished"): void;
  end(reason: SubscriberEnd): void;
}
