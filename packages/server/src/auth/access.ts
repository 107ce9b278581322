/** The question put to the guard, its answer, and the report when what it allowed has ended. */
import type { Protocol } from "@sluice/client/admin-contract";
import type { Credentials } from "./credentials.ts";

export interface AccessRequest {
  readonly action: "connect" | "publish" | "play";
  readonly protocol: Protocol;
  readonly app: string;
  /** StreamKey; empty on connect. */
  readonly key: string;
  /** Remote IP address as the socket gives it. */
  readonly address: string;
  readonly credentials: Credentials;
  readonly sessionId: string;
  /** As the client says. */
  readonly pageUrl?: string;
  /** Of the web page, as its browser says; programs and plain RTMP have none. */
  readonly origin?: string;
  readonly agent?: string;
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
  /** A credential was shown more than once, or with two values. */
  | "token-repeated"
  /** The hook said no. */
  | "hook-denied"
  /** The hook did not answer in time, or not in a way that means anything. */
  | "hook-unavailable"
  /** Too many hook requests are waiting already. */
  | "overloaded"
  /** The session ended while the hook was asked; this answer is not sent. */
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

/** The guard's answer to a session: who is allowed holds a grant, and ends it. */
export type Admission = { readonly allow: true; readonly grant: Grant } | Exclude<Verdict, { readonly allow: true }>;

/** A publish or play that was allowed, until its holder ends it. */
export interface Grant {
  /**
   * Tells the hook; the first call counts, further ones do nothing.
   *
   * @param reason  in words of the log
   */
  end(reason: string, traffic?: GrantTraffic): void;
}

export interface GrantTraffic {
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Where the end is not reported. */
export const SILENT_GRANT: Grant = Object.freeze({ end() {} });

/** Sent to `auth.hooks.done`, once for each publish or play that had been allowed. */
export interface DoneReport extends GrantTraffic {
  readonly action: "publish" | "play";
  readonly protocol: Protocol;
  readonly app: string;
  readonly key: string;
  readonly address: string;
  readonly sessionId: string;
  /** Why it ended, in words of the log. */
  readonly reason: string;
  readonly durationMs: number;
}
