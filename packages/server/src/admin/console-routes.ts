/** `/console/`: the built console's files, behind the same token as the API. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import staticFiles from "@fastify/static";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type AdminAccess, callerOf, FORGET_TOKEN_COOKIE, sendRefusal, tokenCookie } from "./admin-access.ts";
import { sendApiError } from "./api-error.ts";
import { pathOf } from "./error-answers.ts";
import { withOtherMethods } from "./other-methods.ts";
import { type NodeAddress, TOKEN_PAGE_POLICY, tokenPage } from "./token-page.ts";

/**
 * Own scripts and styles only. Pictures and workers may be made by them (`blob:`, as mpegts.js does);
 * streams may come from any node, whose address the page cannot know beforehand.
 */
const CONSOLE_POLICY = [
  "default-src 'self'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "worker-src 'self' blob:",
  "connect-src 'self' http: https: ws: wss:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

export const NOT_BUILT =
  "The console is not built. Build it with `npm run build -w @sluice/console` and start the server again.\n";

/** Names under `assets/` carry a hash of their content; everything else is asked for again. */
const FOR_EVER = "public, max-age=31536000, immutable";

/** `/console` itself is an open redirect to here. */
const ONLY_WITH_SLASH = { prefixTrailingSlash: "slash" } as const;

interface FileInPath {
  readonly Params: { readonly "*": string };
}

/** @param directory  holds `index.html` and `assets/`; `undefined` where there is no console */
export function consoleRoutes(app: FastifyInstance, directory: string | undefined): void {
  withOtherMethods(app, () => {
    if (directory === undefined || !existsSync(join(directory, "index.html"))) {
      const notBuilt = async (_request: FastifyRequest, reply: FastifyReply) =>
        reply.code(404).type("text/plain; charset=utf-8").send(NOT_BUILT);
      app.get("/", ONLY_WITH_SLASH, notBuilt);
      app.get("/*", notBuilt);
      return;
    }
    app.register(staticFiles, { root: directory, serve: false, cacheControl: false, dotfiles: "ignore", index: false });
    app.get("/", ONLY_WITH_SLASH, async (_request, reply) => sendPageFile(reply, "index.html"));
    app.get<FileInPath>("/*", async (request, reply) => sendPageFile(reply, request.params["*"]));
  });
}

/** With the content security policy of all pages. */
export function sendPageFile(reply: FastifyReply, name: string): FastifyReply {
  if (name.includes("\0")) return sendApiError(reply, "ADMIN_NOT_FOUND", "Cannot find a file of this name"); // no file system knows it
  reply.header("content-security-policy", CONSOLE_POLICY);
  reply.header("cache-control", name.startsWith("assets/") ? FOR_EVER : "no-cache");
  return reply.sendFile(name);
}

/** A browser brings its token once as `?token=`, gets it as a cookie, and is sent on without it. */
export async function admitToConsole(
  access: AdminAccess,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  const query = new URLSearchParams(request.url.split("?").slice(1).join("?"));
  const all = query.getAll("token");
  const brought = all.length > 1 ? all.join() : all[0]?.trim() || undefined; // a token that comes twice is none
  const verdict = await access(brought ? callerOf(request, brought) : callerOf(request));
  if (verdict === "allowed") return brought ? exchangeToken(request, reply, brought, query) : undefined;
  if (!request.headers.accept?.includes("text/html")) return sendRefusal(reply, verdict);
  reply.header("content-security-policy", TOKEN_PAGE_POLICY).header("set-cookie", FORGET_TOKEN_COOKIE);
  return reply
    .code(verdict.status)
    .type("text/html; charset=utf-8")
    .send(tokenPage(verdict.message, verdict.status === 401 ? "ask-token" : addressOf(request)));
}

function addressOf({ hostname, protocol, socket }: FastifyRequest): NodeAddress {
  return { host: hostname, port: socket.localPort ?? 0, scheme: protocol };
}

function exchangeToken(
  request: FastifyRequest,
  reply: FastifyReply,
  token: string,
  query: URLSearchParams,
): FastifyReply {
  query.delete("token");
  const rest = query.size > 0 ? `?${query.toString()}` : "";
  reply.header("set-cookie", tokenCookie(token, request));
  return reply.redirect(pathOf(request) + rest, 303);
}
