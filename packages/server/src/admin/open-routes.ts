/** What anyone may ask: whether the process lives, whether it takes clients, and where the console is. */
import type { FastifyInstance } from "fastify";
import type { AdminView } from "./admin-source.ts";
import { type AdminAccess, callerOf } from "./admin-access.ts";
import { READY } from "./route-schemas.ts";
import { objectOf } from "./schema-form.ts";

/** @param access  who is told why the node is not ready */
export function openRoutes(app: FastifyInstance, view: Pick<AdminView, "readiness">, access: AdminAccess): void {
  const alive = { description: "The process answers", ...objectOf({ status: { const: "ok" } }) };
  app.get("/healthz", { schema: { summary: "Liveness", tags: ["health"], response: { 200: alive } } }, async () => ({
    status: "ok",
  }));

  const response = {
    200: { description: "Takes clients", ...READY },
    503: { description: "Takes no clients", ...READY },
  };
  app.get("/readyz", { schema: { summary: "Readiness", tags: ["health"], response } }, async (request, reply) => {
    const { ready, reasons } = view.readiness();
    const isKnown = (await access(callerOf(request))) === "allowed";
    return reply.code(ready ? 200 : 503).send({ ready, reasons: isKnown ? reasons : [] });
  });

  app.get("/", async (_request, reply) => reply.redirect("/console/", 302));
  app.get("/demo", async (_request, reply) => reply.redirect("/demo/ball", 302));
  app.get("/console", async (request, reply) => reply.redirect(request.url.replace(/^[^?]*/, "/console/"), 302));
}
