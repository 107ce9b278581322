/** The question put to the guard, its answer, and the report when what it allowed has ended. */
import type { Protocol } from "@sluice/client/admin-contract";

export interface AccessRequest {
  readonly action: "connect" | "publish" | "play";
  readonly protocol: Protocol;
  readonly app: string;
  /** StreamKey; empty on connect. */
  readonly key: string;
  /** Remote IP address as the socket gives it. */
  readonly address: string;
  /** Query of the connect URL and of the stream name, merged. */
  readonly query: URLSearchParams;
  readonly sessionId: string;
  readonly pageUrl?: string;
  readonly agent?: string;
  /** The HTTP header, where there is one. */
  readonly authorization?: string;
}

export type AccessDenialCode =
  /** An address rule. */
  | "address-denied"
  /** Neither a token nor a signature was shown, and one is needed. */
  | "token-missing"
  /** Forged, malformed, of another issuer, or not valid yet. */
  | "token-invalid"
  | "token-expired"
  /** Genuine, for another stream or action. */
  | "token-scope"
  /** The hook said no. */
  | "hook-denied"
  /** The hook did not answer in time, or not in a way that means anything. */
  | "hook-unavailable"
  /** Too many hook requests are waiting already. */
  | "overloaded"
  /** The session ended while the hook was asked; nobody hears this answer. */
  | "session-ended";

export type Verdict =
  | { readonly allow: true }
  | Denial
  /** `redirect` is an absolute URL of one of the schemes rtmp, rtmps, http, https, ws, wss. */
  | { readonly allow: false; readonly code: "redirected"; readonly redirect: string; readonly reason: string };

/** `reason` may be shown to the client. */
export interface Denial {
  readonly allow: false;
  readonly code: AccessDenialCode;
  readonly reason: string;
}

export const ALLOWED: Verdict = Object.freeze({ allow: true });

export const denied = (code: AccessDenialCode, reason: string): Denial => ({ allow: false, code, reason });

/** Sent to `auth.hooks.done`, once for each publish or play that had been allowed. */
export interface DoneReport {
  readonly action: "publish" | "play";
  readonly protocol: Protocol;
  readonly app: string;
  readonly key: string;
  readonly address: string;
  readonly sessionId: string;
  /** Why it ended, in words of the log. */
  readonly reason: string;
  readonly durationMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}
