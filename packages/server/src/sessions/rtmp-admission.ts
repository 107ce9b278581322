/** Puts an RTMP request before the guard: canonical key, merged query, facts of the peer. */
import { findStreamKey, type StreamKey } from "@sluice/media/stream-key";
import type { Protocol } from "@sluice/client/admin-contract";
import type { ConnectRequest } from "@sluice/rtmp/connect-request";
import type { Verdict } from "../auth/access.ts";
import { askedFor, type Refused } from "./refusals.ts";
import type { Doorkeeper } from "./session-ports.ts";

export interface RtmpAdmission {
  readonly action: "connect" | "publish" | "play";
  readonly request: ConnectRequest;
  /** As sent, query included; empty on connect. */
  readonly streamName: string;
  readonly sessionId: string;
  readonly protocol: Protocol;
  readonly address: string;
  readonly guard: Doorkeeper;
  readonly signal: AbortSignal;
}

/** `undefined` when application and name make no legal key. */
export function keyOf({ request, streamName }: RtmpAdmission): StreamKey | undefined {
  return findStreamKey(request.app, streamName);
}

/** The facts of a refusal of it. */
export function refusedOf(admission: RtmpAdmission, detail: string): Refused {
  const { request, streamName, sessionId, protocol, address } = admission;
  const key = keyOf(admission) ?? askedFor(streamName === "" ? request.app : `${request.app}/${streamName}`);
  return { session: sessionId, protocol, address, agent: request.flashVer, key, detail };
}

export function admit(admission: RtmpAdmission): Promise<Verdict> {
  const { action, request, sessionId, protocol, address, guard, signal } = admission;
  const key = action === "connect" ? "" : (keyOf(admission) ?? "");
  const app = (key === "" ? request.app : key).split("/", 1)[0] ?? "";
  return guard.decide(
    {
      action,
      protocol,
      app,
      key,
      address,
      sessionId,
      query: queryOf(admission),
      pageUrl: request.pageUrl,
      agent: request.flashVer,
    },
    signal,
  );
}

/** Of the connect URL, then of the stream name, which wins. */
function queryOf({ request, streamName }: RtmpAdmission): URLSearchParams {
  const merged = new URLSearchParams(request.query);
  const mark = streamName.indexOf("?");
  if (mark < 0) return merged;
  for (const [name, value] of new URLSearchParams(streamName.slice(mark + 1))) merged.set(name, value);
  return merged;
}
