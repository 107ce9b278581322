/** What an RTMP session is given, and what it gives on to what publishes and plays inside it. */
import type { Millis } from "@sluice/base/brand";
import type { Protocol } from "@sluice/client/admin-contract";
import type { MessageStreamId } from "@sluice/rtmp/ids";
import type { RtmpServerEngine } from "@sluice/rtmp/server-engine";
import type { ByteTransport, TransportEvents } from "../sessions/byte-transport.ts";
import type { SessionEnd } from "../sessions/session.ts";
import type { SessionPorts } from "../sessions/session-ports.ts";

/** The web page that opened a connection, and what pages of its origin may do. */
export interface Page {
  /** As the browser says. */
  readonly origin: string;
  readonly mayPublish: boolean;
  readonly mayPlay: boolean;
}

export interface RtmpSessionOptions {
  readonly id: string;
  readonly protocol: Protocol;
  readonly address: string;
  /** None for a program. */
  readonly page?: Page;
  readonly ports: SessionPorts;
  readonly engine: RtmpServerEngine;
  /** What the engine announces with SetChunkSize. */
  readonly chunkSize: number;
  /** E12: what players that sent no FourCC list are sent. */
  readonly legacyFourCc: "forward" | "withhold";
  /** How often a peer that may be gone is asked. */
  readonly pingInterval: Millis;
  readonly allowsRtmpRedirect: boolean;
  readonly open: (events: TransportEvents) => ByteTransport;
}

export interface RtmpNetStreamsOptions extends RtmpSessionOptions {
  readonly transport: ByteTransport;
  /** Aborts when the session ends. */
  readonly signal: AbortSignal;
  /** The peer went on to something else on that message stream: a verdict for what it asked before means nothing. */
  readonly isOver: (messageStreamId: MessageStreamId) => boolean;
  readonly sendOutput: () => void;
  readonly end: (reason: SessionEnd, detail?: string) => void;
  /** See `PublicationHolder`. */
  readonly confirm: (patience: Millis) => Promise<void>;
}
