/** `/sessions` and `/nodes`: who is connected and who serves, with kick and drain. */
import type { FastifyInstance } from "fastify";
import type { AdminSource } from "./admin-source.ts";
import { sendApiError } from "./api-error.ts";
import type { AdminLimits } from "./limits.ts";
import { answers, listOf, nothing, PAGE_IN_QUERY, pageAsked, pageOf, type PageQuery } from "./route-schemas.ts";
import { objectOf, text } from "./schema-form.ts";

const ID_IN_PATH = { type: "object", required: ["id"], properties: { id: text() } } as const;

interface IdInPath {
  readonly Params: { readonly id: string };
}

export function sessionRoutes(app: FastifyInstance, source: AdminSource, limits: AdminLimits): void {
  const list = {
    summary: "Sessions of this node",
    tags: ["sessions"],
    querystring: { type: "object", properties: { ...PAGE_IN_QUERY, key: text("StreamKey: only the sessions on it") } },
    response: answers({ 200: pageOf("sessions", "SessionRow#") }),
  };
  app.get<{ Querystring: PageQuery & { readonly key?: string } }>("/sessions", { schema: list }, (request) => {
    const { rows, total } = source.view.sessions(pageAsked(request.query, limits.listRows), request.query.key);
    return { sessions: rows, total };
  });

  const reason = {
    type: "string",
    minLength: 1,
    maxLength: limits.reasonLength,
    description: "Told to the peer where its protocol can, and logged",
  };
  const kick = {
    summary: "End a session",
    tags: ["sessions"],
    params: ID_IN_PATH,
    querystring: { type: "object", properties: { reason } },
    response: answers({ 204: nothing("Ended") }, [404]),
  };
  app.delete<IdInPath & { Querystring: { readonly reason?: string } }>(
    "/sessions/:id",
    { schema: kick },
    async (request, reply) => {
      const { id } = request.params;
      const isGone = source.kick(id, request.query.reason ?? "ended by an operator");
      return isGone ? reply.code(204).send() : sendApiError(reply, "ADMIN_NOT_FOUND", `Cannot find session "${id}"`);
    },
  );
}

export function nodeRoutes(app: FastifyInstance, source: AdminSource): void {
  const list = { summary: "Nodes", tags: ["nodes"], response: answers({ 200: listOf("nodes", "NodeRow#") }) };
  app.get("/nodes", { schema: list }, async () => ({ nodes: source.view.nodes() }));

  const accepted = { description: "Draining", ...objectOf({ id: text("Node id"), state: { const: "draining" } }) };
  const drain = {
    summary: "Take a node out of service",
    tags: ["nodes"],
    params: ID_IN_PATH,
    response: answers({ 202: accepted }, [404]),
  };
  app.post<IdInPath>("/nodes/:id/drain", { schema: drain }, async (request, reply) => {
    const { id } = request.params;
    const state = source.drain(id);
    if (state === "unknown-node") return sendApiError(reply, "ADMIN_NOT_FOUND", `Cannot find node "${id}"`);
    return reply.code(202).send({ id, state });
  });
}
