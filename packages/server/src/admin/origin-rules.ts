/** Which web pages may use the API: those served by this server, and the origins the operator listed. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { isSameOrigin } from "../auth/web-origin.ts";
import { sendApiError } from "./api-error.ts";

const READING = new Set(["GET", "HEAD", "OPTIONS"]);

/** A page of another origin must not change anything through a visitor's browser. */
export function refuseForeignChange(
  origins: readonly string[],
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply | undefined {
  if (READING.has(request.method) || isWelcome(origins, request)) return undefined;
  return sendApiError(reply, "ADMIN_CROSS_ORIGIN", "Cannot change anything from a page of another origin");
}

function isWelcome(origins: readonly string[], request: FastifyRequest): boolean {
  const { origin, host } = request.headers;
  const site = request.headers["sec-fetch-site"];
  if (origin === undefined) return site === undefined || site === "same-origin" || site === "none";
  return origins.includes(origin) || (host !== undefined && isSameOrigin(origin, host));
}

/** Lets scripts of a listed origin read the answer and send a token. */
export function answerListedOrigin(origins: readonly string[], request: FastifyRequest, reply: FastifyReply): void {
  if (origins.length === 0) return;
  reply.header("vary", "Origin");
  const { origin } = request.headers;
  if (origin === undefined || !origins.includes(origin)) return;
  reply.header("access-control-allow-origin", origin);
  if (request.method !== "OPTIONS") return;
  reply.header("access-control-allow-methods", "GET, POST, PUT, PATCH, DELETE");
  reply.header("access-control-allow-headers", "authorization, content-type");
}
