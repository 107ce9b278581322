/** The OpenAPI document of the admin API, generated from the routes' own schemas. */
import swagger from "@fastify/swagger";
import type { FastifyInstance, FastifySchema } from "fastify";
import { NAMED_SCHEMAS } from "./row-schemas.ts";

export function describeRoutes(app: FastifyInstance, version: string): void {
  for (const [name, schema] of Object.entries(NAMED_SCHEMAS)) app.addSchema({ $id: name, ...schema });
  app.register(swagger, {
    hideUntagged: true, // routes without a schema: the console, and the answers to other methods
    openapi: {
      openapi: "3.1.0",
      info: { title: "Sluice admin API", version, description: "Every error answer is an AdminError." },
      components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
      security: [{ token: [] }],
    },
    refResolver: {
      buildLocalReference: (json, _base, _fragment, index) =>
        typeof json.$id === "string" ? json.$id : `schema-${index}`,
    },
    transform: ({ schema, url }) => ({ schema: withNamedKey(schema), url: url.replace(/\/\*$/, "/:key") }),
  });
}

/** OpenAPI has no name for a wildcard: it becomes the parameter `key`. */
function withNamedKey(schema: FastifySchema): FastifySchema {
  const params = schema?.params as { readonly properties?: Readonly<Record<string, object>> } | undefined;
  const key = params?.properties?.["*"];
  return key ? { ...schema, params: { type: "object", required: ["key"], properties: { key } } } : schema;
}

export function openapiRoute(app: FastifyInstance): void {
  const document = { description: "This document", type: "object", additionalProperties: true };
  const schema = { summary: "The API as an OpenAPI 3.1 document", tags: ["health"], response: { 200: document } };
  app.get("/openapi.json", { schema }, async () => app.swagger());
}
