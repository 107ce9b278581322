/** `/metrics` in Prometheus' text form. */
import type { FastifyInstance } from "fastify";
import { answers } from "./route-schemas.ts";
import { text } from "./schema-form.ts";

const TEXT_FORM = "text/plain; version=0.0.4; charset=utf-8";

export function metricsRoute(app: FastifyInstance, metrics: () => Promise<string>): void {
  const page = { description: "Prometheus text form", content: { "text/plain": { schema: text() } } };
  const schema = { summary: "Metrics", tags: ["health"], response: answers({ 200: page }) };
  app.get("/metrics", { schema }, async (_request, reply) => {
    const page = await metrics();
    return reply.type(TEXT_FORM).serializer(String).send(page);
  });
}
