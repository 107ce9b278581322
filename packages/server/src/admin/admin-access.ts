/** Who may call the admin API: collects what the decision needs, and carries the decision out. */
import type { IncomingHttpHeaders } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import { bearerOf } from "../auth/admin-access.ts";
import { sendApiError } from "./api-error.ts";

export interface AdminCaller {
  /** The peer's address as the socket knows it; forwarding headers are in `headers`, unread. */
  readonly address: string;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** From `Authorization: Bearer`, the console's cookie, or on the console `?token=`; not checked yet. */
  readonly token: string | undefined;
}

export type AdminVerdict = "allowed" | { readonly status: 401 | 403; readonly message: string };

/** The rule of who may; decided outside this room. */
export type AdminAccess = (caller: AdminCaller) => AdminVerdict | Promise<AdminVerdict>;

const COOKIE = "sluice_admin";

export function callerOf(
  request: FastifyRequest,
  token = bearerOf(request.headers.authorization) ?? cookieToken(request),
): AdminCaller {
  const { method, headers } = request;
  return { address: request.socket.remoteAddress ?? "", method, headers, token };
}

function cookieToken(request: FastifyRequest): string | undefined {
  for (const pair of (request.headers.cookie ?? "").split(";")) {
    const [name, value] = pair.trim().split("=", 2);
    if (name === COOKIE && value) return decodedOrUndefined(value);
  }
  return undefined;
}

function decodedOrUndefined(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** For the browser session only; scripts cannot read it, other sites cannot send it. */
export function tokenCookie(token: string, isEncrypted: boolean): string {
  return `${COOKIE}=${encodeURIComponent(token)}; Path=/; HttpOnly; SameSite=Strict${isEncrypted ? "; Secure" : ""}`;
}

export const FORGET_TOKEN_COOKIE = `${COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0`;

/** Refuses with the API's error answer; `undefined` lets the request on. */
export async function refuseUnlessAllowed(
  access: AdminAccess,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  if (request.method === "OPTIONS") return undefined; // preflights carry no credentials, and learn only the methods
  const verdict = await access(callerOf(request));
  return verdict === "allowed" ? undefined : sendRefusal(reply, verdict);
}

export function sendRefusal(reply: FastifyReply, verdict: Exclude<AdminVerdict, "allowed">): FastifyReply {
  if (verdict.status === 403) return sendApiError(reply, "ADMIN_FORBIDDEN", verdict.message);
  return sendApiError(reply.header("www-authenticate", 'Bearer realm="sluice"'), "ADMIN_UNAUTHORIZED", verdict.message);
}
