/** What anyone may ask: whether the process lives, whether it takes clients, and where the console is. */
import type { FastifyInstance } from "fastify";
import type { AdminView } from "./admin-source.ts";
import { READY } from "./route-schemas.ts";
import { objectOf } from "./schema-form.ts";

export function openRoutes(app: FastifyInstance, source: Pick<AdminView, "readiness">): void {
  const alive = { description: "The process answers", ...objectOf({ status: { const: "ok" } }) };
  app.get("/healthz", { schema: { summary: "Liveness", tags: ["health"], response: { 200: alive } } }, async () => ({
    status: "ok",
  }));

  const response = {
    200: { description: "Takes clients", ...READY },
    503: { description: "Takes no clients", ...READY },
  };
  app.get("/readyz", { schema: { summary: "Readiness", tags: ["health"], response } }, async (_request, reply) => {
    const readiness = source.readiness();
    return reply.code(readiness.ready ? 200 : 503).send(readiness);
  });

  app.get("/", async (_request, reply) => reply.redirect("/console/", 302));
  app.get("/console", async (request, reply) => reply.redirect(request.url.replace(/^[^?]*/, "/console/"), 302));
}
