/** Puts an RTMP request before the guard: canonical key, the credentials of all its parts, facts of the peer. */
import { applicationOf, findStreamKeyOfUrl, type StreamKey } from "@sluice/media/stream-key";
import type { Protocol } from "@sluice/client/admin-contract";
import type { ConnectRequest } from "@sluice/rtmp/connect-request";
import { joinAddress, queryOf, type StreamAddress } from "@sluice/rtmp/stream-name";
import type { Admission } from "../auth/access.ts";
import { readCredentials } from "../auth/credentials.ts";
import { askedFor, type Refused } from "../sessions/refusals.ts";
import type { AccessPolicy } from "../sessions/session-ports.ts";

export interface RtmpAdmission {
  readonly action: "connect" | "publish" | "play";
  readonly request: ConnectRequest;
  /** As sent, query included; empty on connect. */
  readonly streamName: string;
  readonly sessionId: string;
  readonly protocol: Protocol;
  readonly address: string;
  /** Of the web page that opened the connection, as its browser says. */
  readonly origin: string | undefined;
  readonly guard: AccessPolicy;
  readonly signal: AbortSignal;
}

/** `undefined` when application and name make no legal key. */
export function keyOf({ request, streamName }: RtmpAdmission): StreamKey | undefined {
  return findStreamKeyOfUrl(...joinAddress(request, streamName).paths);
}

/** The facts of a refusal of it. */
export function refusedOf(admission: RtmpAdmission, detail: string): Refused {
  const { request, streamName, sessionId, protocol, address } = admission;
  const key = keyOf(admission) ?? askedFor(streamName === "" ? request.app : `${request.app}/${streamName}`);
  return { session: sessionId, protocol, address, agent: request.flashVer, key, detail };
}

export function admit(admission: RtmpAdmission): Promise<Admission> {
  const { action, request, sessionId, protocol, address, origin, guard, signal } = admission;
  const joined = joinAddress(request, admission.streamName);
  const path = findStreamKeyOfUrl(...joined.paths);
  return guard.decide(
    {
      action,
      protocol,
      app: path === undefined ? "" : applicationOf(path),
      key: action === "connect" ? "" : (path ?? ""),
      address,
      sessionId,
      credentials: readCredentials(queriesOf(request, joined)),
      pageUrl: request.pageUrl,
      agent: request.flashVer,
      ...(origin === undefined ? {} : { origin }),
    },
    signal,
  );
}

/** The tcUrl repeats the application's query, or holds what the application leaves out. */
function queriesOf({ tcUrl, query }: ConnectRequest, { queries }: StreamAddress): readonly string[] {
  const ofUrl = queryOf(tcUrl);
  return ofUrl === query ? queries : [ofUrl, ...queries];
}
