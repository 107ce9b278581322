/** What a client engine tells its owner. */
import type { AmfObject, AmfValue } from "@sluice/amf/value";
import type { HandshakeForm } from "./handshake/server-handshake.ts";
import type { MessageStreamId, TransactionId } from "./ids.ts";
import type { CallEvent, MediaEvent, SharedObjectReceived } from "./server-event.ts";
import type { UserControl } from "./user-control.ts";

export type StreamIntent = "publish" | "play";

export type RtmpClientEvent =
  | { readonly type: "handshake-done"; readonly form: HandshakeForm }
  | { readonly type: "connected"; readonly properties: AmfObject; readonly information: AmfObject }
  | {
      readonly type: "connect-rejected";
      readonly code: string;
      readonly description: string;
      /** Where the server would have us go. */
      readonly redirect: string | undefined;
    }
  | { readonly type: "stream-created"; readonly messageStreamId: MessageStreamId; readonly intent: StreamIntent }
  /** The server made no message stream for a publish or play. */
  | { readonly type: "stream-refused"; readonly intent: StreamIntent; readonly values: readonly AmfValue[] }
  | {
      readonly type: "status";
      readonly messageStreamId: MessageStreamId;
      readonly level: string;
      readonly code: string;
      readonly description: string;
      readonly information: AmfObject;
    }
  | { readonly type: "reconnect-request"; readonly tcUrl: string | undefined; readonly description: string }
  | MediaEvent
  | SharedObjectReceived
  /** Answer to `call`. */
  | {
      readonly type: "call-result";
      readonly transactionId: TransactionId;
      readonly isError: boolean;
      readonly values: readonly AmfValue[];
    }
  | CallEvent
  | { readonly type: "user-control"; readonly event: UserControl }
  | { readonly type: "acknowledgement"; readonly bytes: number };
