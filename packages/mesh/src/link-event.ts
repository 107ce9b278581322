/** What happens on a link, as its owner is told. */
import type { Channel, CloseCode } from "./channel.ts";
import type { NodeIdentity } from "./hello.ts";

/** What happens on the channels of a link that stands. */
export type ChannelEvent = Exclude<LinkEvent, { readonly type: "established" | "ended" }>;

export type LinkEvent =
  | { readonly type: "established"; readonly peer: NodeIdentity }
  /** The peer opened a channel; messages on it follow. Close it to refuse. */
  | { readonly type: "opened"; readonly channel: Channel; readonly greeting: Uint8Array }
  /** The message belongs to the receiver. */
  | { readonly type: "message"; readonly channel: Channel; readonly message: Uint8Array }
  /** A channel that answered "full" has room again, or has sent what `tellDrained` named. */
  | { readonly type: "drained"; readonly channel: Channel }
  /** By the peer, or, with `lost`, because the link ended. Nothing more comes on it. */
  | { readonly type: "closed"; readonly channel: Channel; readonly code: CloseCode; readonly reason: string }
  /** Once, last. Without an error one of the sides said goodbye. What `nextOutput` still has goes out before the end. */
  | { readonly type: "ended"; readonly error: Error | undefined };
