/** What an RTMP peer asks for, as the guard is asked: canonical key, the credentials of all its parts, facts of the peer. */
import { findStreamKeyOfUrl, type StreamKey } from "@sluice/media/stream-key";
import type { ConnectRequest } from "@sluice/rtmp/connect-request";
import { joinAddress, queryOf, type StreamAddress } from "@sluice/rtmp/stream-name";
import type { AccessRequest } from "../auth/access.ts";
import { readCredentials } from "../auth/credentials.ts";
import { askedFor } from "../sessions/refusals.ts";
import type { RtmpPeer } from "./rtmp-peer.ts";

export interface RtmpRequest {
  readonly access: Omit<AccessRequest, "action" | "app" | "key">;
  /** `undefined` when application and name make no legal key. */
  readonly key: StreamKey | undefined;
  /** As the log shows it where it is no key. */
  readonly asked: string;
}

/** @param streamName  as sent, query included; empty on connect */
export function readRequest(peer: RtmpPeer, connect: ConnectRequest, streamName: string): RtmpRequest {
  const { id, protocol, address, page } = peer;
  const { app, pageUrl, flashVer } = connect;
  const joined = joinAddress(connect, streamName);
  return {
    access: {
      protocol,
      address,
      sessionId: id,
      credentials: readCredentials(queriesOf(connect, joined)),
      pageUrl,
      agent: flashVer,
      ...(page === undefined ? {} : { origin: page.origin }),
    },
    key: findStreamKeyOfUrl(...joined.paths),
    asked: askedFor(streamName === "" ? app : `${app}/${streamName}`),
  };
}

/** The tcUrl repeats the application's query, or holds what the application leaves out. */
function queriesOf({ tcUrl, query }: ConnectRequest, { queries }: StreamAddress): readonly string[] {
  const ofUrl = queryOf(tcUrl);
  return ofUrl === query ? queries : [ofUrl, ...queries];
}
