/** How the admin API says no: `{ error: { code, message } }`, never a stack trace. */
import type { AdminError } from "@sluice/client/admin-contract";
import type { FastifyReply } from "fastify";

/** Stable codes of error answers, with the HTTP status each comes with. */
export const API_ERRORS = {
  /** The request is malformed: its address, its body or its parameters. */
  ADMIN_BAD_REQUEST: 400,
  /** A token is needed, and none or a wrong one came. */
  ADMIN_UNAUTHORIZED: 401,
  /** The caller is known or local, and still may not. */
  ADMIN_FORBIDDEN: 403,
  /** A request that changes something came from a page of another origin. */
  ADMIN_CROSS_ORIGIN: 403,
  /** No such path, stream, session, node or test pattern. */
  ADMIN_NOT_FOUND: 404,
  /** The path exists, the method does not; `Allow` lists those that do. */
  ADMIN_METHOD_NOT_ALLOWED: 405,
  /** A test pattern cannot start there, for the reason given. */
  ADMIN_TEST_PATTERN_REFUSED: 409,
  /** The members of the state engine cannot be changed so, for the reason given. */
  ADMIN_MEMBERS_REFUSED: 409,
  /** The object is not changed, moved or forgotten, for the reason given. */
  ADMIN_OBJECT_REFUSED: 409,
  /** The body is larger than the limit `bodyBytes`, of an object `objectBodyBytes`. */
  ADMIN_BODY_TOO_LARGE: 413,
  /** The body is not JSON. */
  ADMIN_NOT_JSON: 415,
  /** A fault of the server; the log has the details. */
  ADMIN_INTERNAL: 500,
  /** As many event streams are open as the limit `subscribers` allows. */
  ADMIN_TOO_MANY_SUBSCRIBERS: 503,
  /** Another node was asked and did not answer, for the reason given; it may have done it all the same. */
  ADMIN_NODE_SILENT: 503,
  /** The object's home cannot be reached now, or nobody knows whether it was done; the reason is given. */
  ADMIN_OBJECT_UNAVAILABLE: 503,
  /** The server is stopping. */
  ADMIN_CLOSING: 503,
} as const;

export type ApiErrorCode = keyof typeof API_ERRORS;

export function sendApiError(reply: FastifyReply, code: ApiErrorCode, message: string): FastifyReply {
  const body: AdminError = { error: { code, message } };
  // Encoded here: an answer must not depend on which schemas the failing route declares.
  reply.header("cache-control", "no-store"); // a route may have promised otherwise for what it meant to send
  return reply.code(API_ERRORS[code]).type("application/json; charset=utf-8").send(JSON.stringify(body));
}
