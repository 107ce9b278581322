/** What a server engine tells its owner. */
import type { AmfObject, AmfValue } from "@sluice/amf/value";
import type { ConnectCommand } from "./connect-request.ts";
import type { DataPurpose } from "./data-message.ts";
import type { HandshakeForm } from "./handshake/server-handshake.ts";
import type { MessageStreamId, TransactionId } from "./ids.ts";
import type { PlayRange } from "./play-request.ts";
import type { SharedObjectMessage } from "./shared-object-message.ts";
import type { StreamNameParts } from "./stream-name.ts";

interface OnStream {
  readonly messageStreamId: MessageStreamId;
}

export type PublishType = "live" | "record" | "append";

/** How a message stream ended: "play" means that another play took its place. */
export type StreamClosedBy = "closeStream" | "deleteStream" | "FCUnpublish" | "play";

export interface PublishEvent extends OnStream, StreamNameParts {
  readonly type: "publish";
  readonly publishType: PublishType;
}

export interface PlayEvent extends OnStream, StreamNameParts, PlayRange {
  readonly type: "play";
}

/** Payloads are whole message bodies and belong to whoever takes the event. */
export type MediaEvent = OnStream & {
  readonly type: "media";
  /** Milliseconds, absolute, 0 to 2³² − 1; wraps. */
  readonly timestamp: number;
  readonly payload: Uint8Array;
} & (
    | { readonly kind: "audio" | "video" }
    /** `payload` is AMF0 values behind the text that told the purpose. */
    | { readonly kind: "data"; readonly data: DataPurpose }
  );

export interface CallEvent extends OnStream {
  readonly type: "call";
  readonly name: string;
  /** 0: no answer wanted, and none is sent. */
  readonly transactionId: TransactionId;
  readonly commandObject: AmfValue;
  readonly args: readonly AmfValue[];
}

export interface SharedObjectReceived {
  readonly type: "shared-object";
  readonly message: SharedObjectMessage;
}

export type RtmpServerEvent =
  | { readonly type: "handshake-done"; readonly form: HandshakeForm }
  | ({ readonly type: "connect" } & ConnectCommand)
  | PublishEvent
  | PlayEvent
  | MediaEvent
  | (OnStream & {
      readonly type: "stream-closed";
      readonly by: StreamClosedBy;
      readonly was: "publish" | "play";
      readonly streamName: string;
    })
  | (OnStream & { readonly type: "pause"; readonly isPaused: boolean; readonly milliseconds: number })
  | (OnStream & { readonly type: "seek"; readonly milliseconds: number })
  | (OnStream & { readonly type: "receive-audio" | "receive-video"; readonly enabled: boolean })
  | (OnStream & { readonly type: "play2"; readonly parameters: AmfObject })
  | (OnStream & { readonly type: "buffer-length"; readonly milliseconds: number })
  | CallEvent
  | {
      readonly type: "call-result";
      readonly transactionId: TransactionId;
      readonly isError: boolean;
      readonly values: readonly AmfValue[];
    }
  | SharedObjectReceived
  | { readonly type: "acknowledgement" /** Counted on beyond 2³². */; readonly bytes: number }
  | { readonly type: "ping-response"; readonly timestamp: number };
