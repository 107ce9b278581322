/** Turns what fastify itself refuses, and what our own code throws, into the API's error answers. */
import type { Log } from "@sluice/base/log";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type ApiErrorCode, sendApiError } from "./api-error.ts";

/** Fastify's codes and what they mean to a caller; any other 4xx is a bad request. */
const FASTIFY_CODES: Readonly<Record<string, ApiErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "ADMIN_BODY_TOO_LARGE",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "ADMIN_NOT_JSON",
};

interface Thrown {
  readonly code?: unknown;
  readonly statusCode?: unknown;
  readonly message?: unknown;
}

/** Answers `thrown`: a refusal keeps its message, a fault of ours goes to the log and says nothing. */
export function answerThrown(thrown: unknown, request: FastifyRequest, reply: FastifyReply, log: Log): FastifyReply {
  const { code, statusCode, message } = (thrown ?? {}) as Thrown;
  // The console's file sender forbids what lies outside its directory: to the caller there is nothing.
  if (statusCode === 403 || statusCode === 404)
    return sendApiError(reply, "ADMIN_NOT_FOUND", `Cannot find "${pathOf(request)}"`);
  if (typeof code === "string" && code.startsWith("FST_") && typeof statusCode === "number" && statusCode < 500) {
    return sendApiError(reply, FASTIFY_CODES[code] ?? "ADMIN_BAD_REQUEST", `Cannot accept request: ${String(message)}`);
  }
  log.error({ err: thrown, method: request.method, path: pathOf(request) }, "Admin request failed");
  return sendApiError(reply, "ADMIN_INTERNAL", "Cannot answer: the server failed, its log says why");
}

export function answerErrorsOf(app: FastifyInstance, log: Log): void {
  app.setErrorHandler((thrown, request, reply) => answerThrown(thrown, request, reply, log));
  answerNotFound(app);
}

/** Also for a prefix of its own, so that unknown paths under it pass the hooks of `app` first. */
export function answerNotFound(app: FastifyInstance): void {
  app.setNotFoundHandler((request, reply) =>
    sendApiError(reply, "ADMIN_NOT_FOUND", `Cannot find "${pathOf(request)}"`),
  );
}

/** Without the query: it may carry a token. */
export function pathOf(request: FastifyRequest): string {
  return request.url.split("?", 1)[0] ?? "";
}
