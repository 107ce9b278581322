/** Answers 405 with `Allow` for methods that a known path does not have, and OPTIONS for those it does; neither is documented. */
import type { FastifyInstance, HTTPMethods } from "fastify";
import { sendApiError } from "./api-error.ts";

const METHODS: readonly HTTPMethods[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/** Notes every route that `declare` adds to `app` itself, then adds the missing methods of each path. */
export function withOtherMethods(app: FastifyInstance, declare: () => void): void {
  const methodsOf = new Map<string, Set<string>>();
  let isDeclaring = true;
  app.addHook("onRoute", (route) => {
    if (!isDeclaring) return;
    const known = methodsOf.get(route.routePath) ?? new Set();
    for (const method of [route.method].flat()) known.add(method);
    methodsOf.set(route.routePath, known);
  });
  declare();
  isDeclaring = false;
  for (const [path, known] of methodsOf) refuseOthers(app, path, known);
}

function refuseOthers(app: FastifyInstance, path: string, known: ReadonlySet<string>): void {
  const allow = [...known, "OPTIONS"].join(", ");
  // Before the body is read: its type and size are not the point.
  app.route({
    method: METHODS.filter((method) => !known.has(method)),
    url: path,
    prefixTrailingSlash: "slash",
    exposeHeadRoute: false,
    onRequest: async (request, reply) =>
      sendApiError(
        reply.header("allow", allow),
        "ADMIN_METHOD_NOT_ALLOWED",
        `Cannot ${request.method} here: allowed are ${allow}`,
      ),
    handler: async () => undefined,
  });
  app.route({
    method: "OPTIONS",
    url: path,
    prefixTrailingSlash: "slash",
    handler: async (_request, reply) => reply.header("allow", allow).code(204).send(),
  });
}
