/** Who may call the admin API: collects what the decision needs, and carries the decision out. */
import type { IncomingMessage } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { AdminCaller } from "../auth/admin-access.ts";
import type { AdminVerdict } from "../auth/admin-verdict.ts";
import { bearerOf } from "../auth/bearer.ts";
import { sendApiError } from "./api-error.ts";

/** The rule of who may; decided outside this room. */
export type AdminAccess = (caller: AdminCaller) => AdminVerdict | Promise<AdminVerdict>;

const COOKIE = "sluice_admin";
/** What no token equals. */
const NO_TOKEN = "";

export function callerOf({ raw }: FastifyRequest, token = headerToken(raw) ?? cookieToken(raw)): AdminCaller {
  const { socket, httpVersion, url = "", rawHeaders } = raw;
  return { remoteAddress: socket.remoteAddress, httpVersion, target: url, rawHeaders, token };
}

/** Two of them are refused, whatever they hold: what forwarded the request may have read the other. */
function headerToken({ headers, rawHeaders }: IncomingMessage): string | undefined {
  const isRepeated = rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === "authorization").length > 1;
  return isRepeated ? NO_TOKEN : bearerOf(headers.authorization);
}

/** A cookie comes along whoever made the browser ask: from a page of another site it counts only for opening a page here. */
function cookieToken({ headers }: IncomingMessage): string | undefined {
  const site = headers["sec-fetch-site"] ?? "none";
  if (site !== "same-origin" && site !== "none" && headers["sec-fetch-mode"] !== "navigate") return undefined;
  for (const pair of (headers.cookie ?? "").split(";")) {
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
