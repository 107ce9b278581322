/** One request for an FLV stream, over HTTP or WebSocket: its key, and whether it may play. */
import type { IncomingMessage } from "node:http";
import type { Protocol } from "@sluice/client/admin-contract";
import { applicationOf, findStreamKey, type StreamKey } from "@sluice/media/stream-key";
import type { SessionPorts } from "./session-ports.ts";

export interface FlvRequest {
  readonly key: StreamKey;
  readonly query: URLSearchParams;
  readonly address: string;
  readonly agent: string;
  readonly pageUrl: string;
  readonly authorization: string | undefined;
}

export type FlvVerdict =
  | { readonly answer: "play" }
  | { readonly answer: "refuse"; readonly status: 401 | 403 | 404 | 503; readonly reason: string }
  | { readonly answer: "redirect"; readonly location: string };

const SUFFIX = ".flv";

/** `undefined` when the path is not one of an FLV stream. */
export function readFlvRequest(request: IncomingMessage): FlvRequest | undefined {
  const [path, query] = splitUrl(request.url ?? "");
  if (!path.endsWith(SUFFIX)) return undefined;
  const key = findStreamKey(path.slice(0, -SUFFIX.length));
  if (key === undefined) return undefined;
  return {
    key,
    query: new URLSearchParams(query),
    address: request.socket.remoteAddress ?? "",
    agent: request.headers["user-agent"] ?? "",
    pageUrl: request.headers.referer ?? request.headers.origin ?? "",
    authorization: request.headers.authorization,
  };
}

/** Whether a URL names an FLV stream at all, legal or not. */
export function isFlvPath(url: string | undefined): boolean {
  return splitUrl(url ?? "")[0].endsWith(SUFFIX);
}

export async function judgeFlvRequest(
  request: FlvRequest,
  options: { readonly protocol: Protocol; readonly sessionId: string; readonly ports: SessionPorts; readonly signal: AbortSignal },
): Promise<FlvVerdict> {
  const { ports, protocol, sessionId, signal } = options;
  const { key, query, address, agent, pageUrl, authorization } = request;
  const app = applicationOf(key);
  const verdict = await ports.guard.decide(
    { action: "play", protocol, app, key, address, query, sessionId, agent, pageUrl, ...(authorization ? { authorization } : {}) },
    signal,
  );
  if (verdict.allow) {
    const isHere = ports.policyOf(app).playWait.http !== 0 || ports.streams.isPublished(key);
    return isHere ? { answer: "play" } : { answer: "refuse", status: 404, reason: `Nobody publishes "${key}"` };
  }
  if (verdict.code === "redirected") return { answer: "redirect", location: verdict.redirect };
  return { answer: "refuse", status: verdict.code === "token-missing" ? 401 : 403, reason: verdict.reason };
}

function splitUrl(url: string): readonly [path: string, query: string] {
  const mark = url.indexOf("?");
  return mark < 0 ? [url, ""] : [url.slice(0, mark), url.slice(mark + 1)];
}
