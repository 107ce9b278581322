/** One RTMP peer, as what publishes and plays for it sees it: a session without its loop. */
import type { Millis } from "@sluice/base/brand";
import type { Protocol } from "@sluice/client/admin-contract";
import type { MessageStreamId } from "@sluice/rtmp/ids";
import type { RtmpServerEngine } from "@sluice/rtmp/server-engine";
import type { WebPage } from "../auth/web-origin.ts";
import type { ByteTransport } from "../sessions/byte-transport.ts";
import type { ObjectForms } from "./rtmp-object-events.ts";
import type { SessionEnd } from "../sessions/session.ts";
import type { SessionPorts } from "../sessions/session-ports.ts";

/** Alike for all sessions of a node; read when it is needed, as some of it changes while the node runs. */
export interface RtmpSettings {
  readonly ports: SessionPorts;
  /** Announced with SetChunkSize. */
  readonly chunkSize: number;
  /** E12: what players that sent no FourCC list are sent. */
  readonly legacyFourCc: "forward" | "withhold";
  /** How often a peer that may be gone is asked. */
  readonly pingInterval: Millis;
  readonly allowsRtmpRedirect: boolean;
  readonly objectForms: ObjectForms;
}

export interface RtmpPeer {
  readonly settings: RtmpSettings;
  readonly id: string;
  readonly protocol: Protocol;
  readonly address: string;
  /** The web page that opened the connection; none for a program. */
  readonly page: WebPage | undefined;
  readonly engine: RtmpServerEngine;
  readonly transport: ByteTransport;
  /** Aborts when the session ends. */
  readonly signal: AbortSignal;
  /** The peer went on to something else on that message stream: a verdict for what it asked before means nothing. */
  isOver(messageStreamId: MessageStreamId): boolean;
  sendOutput(): void;
  end(reason: SessionEnd, detail?: string): void;
  /** See `PublicationHolder`. */
  confirm(patience: Millis): Promise<void>;
}
