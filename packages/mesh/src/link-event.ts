/** Events of a link, as its owner receives them. */
import type { Channel, CloseCode } from "./channel.ts";
import type { NodeIdentity } from "./hello.ts";

/** Events of the channels of an established link. */
export type ChannelEvent = Exclude<LinkEvent, { readonly type: "established" | "ended" }>;

export type LinkEvent =
  | { readonly type: "established"; readonly peer: NodeIdentity }
  /** The peer opened a channel; messages on it follow. Close it to refuse. */
  | { readonly type: "opened"; readonly channel: Channel; readonly greeting: Uint8Array }
  /** The receiver owns the message. */
  | { readonly type: "message"; readonly channel: Channel; readonly message: Uint8Array }
  /** A channel that answered "full" has room again, or has sent down to the level that `tellDrained` set. */
  | { readonly type: "drained"; readonly channel: Channel }
  /** Closed by the peer, or, with `lost`, because the link ended. The channel has no further events. */
  | { readonly type: "closed"; readonly channel: Channel; readonly code: CloseCode; readonly reason: string }
  /** Once, last. Without an error one side said goodbye. Write what `nextOutput` still returns before closing the connection. */
  | { readonly type: "ended"; readonly error: Error | undefined };
