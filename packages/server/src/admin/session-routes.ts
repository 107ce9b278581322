/** `/sessions`, `/nodes` and `/links`: who is connected, who serves and how they are linked, with kick and drain. */
import type { FastifyInstance, FastifyReply } from "fastify";
import type { AdminSource, DeedOutcome } from "./admin-source.ts";
import { sendApiError } from "./api-error.ts";
import type { AdminLimits } from "./limits.ts";
import { answers, listOf, nothing, PAGE_IN_QUERY, pageAsked, pageOf, type PageQuery } from "./route-schemas.ts";
import { arrayOf, flag, objectOf, text } from "./schema-form.ts";

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
    querystring: {
      type: "object",
      properties: { reason, node: text("Id of the node that has the session; else this one") },
    },
    response: answers({ 204: nothing("Ended") }, [404]),
  };
  app.delete<IdInPath & { Querystring: { readonly reason?: string; readonly node?: string } }>(
    "/sessions/:id",
    { schema: kick },
    async (request, reply) => {
      const { id } = request.params;
      const { node, reason: said = "ended by an operator" } = request.query;
      const outcome = await source.cluster.kick({ id, node }, said);
      if (outcome === "done") return reply.code(204).send();
      return refuseDeed(reply, outcome, { node: node ?? "", session: id });
    },
  );
}

export function nodeRoutes(app: FastifyInstance, source: AdminSource): void {
  const list = { summary: "Nodes of the cluster", tags: ["nodes"], response: answers({ 200: NODES }) };
  app.get("/nodes", { schema: list }, () => source.cluster.nodes());
  const links = {
    summary: "Links of this node",
    tags: ["nodes"],
    response: answers({ 200: listOf("links", "LinkRow#") }),
  };
  app.get("/links", { schema: links }, async () => ({ links: source.cluster.links() }));

  const accepted = { description: "Draining", ...objectOf({ id: text("Node id"), state: { const: "draining" } }) };
  const drain = {
    summary: "Take a node out of service",
    tags: ["nodes"],
    params: ID_IN_PATH,
    response: answers({ 202: accepted }, [404]),
  };
  app.post<IdInPath>("/nodes/:id/drain", { schema: drain }, async (request, reply) => {
    const { id } = request.params;
    const outcome = await source.cluster.drain(id);
    if (outcome !== "done") return refuseDeed(reply, outcome, { node: id, session: "" });
    return reply.code(202).send({ id, state: "draining" });
  });
}

function refuseDeed(
  reply: FastifyReply,
  outcome: Exclude<DeedOutcome, "done">,
  { node, session }: { readonly node: string; readonly session: string },
): FastifyReply {
  if (outcome === "unknown-node") return sendApiError(reply, "ADMIN_NOT_FOUND", `Cannot find node "${node}"`);
  if (outcome === "not-found") return sendApiError(reply, "ADMIN_NOT_FOUND", `Cannot find session "${session}"`);
  return sendApiError(reply, "ADMIN_NODE_SILENT", `Cannot hear from node "${node}": ${outcome.silent}`);
}

const NODES = {
  description: "All nodes, each once",
  ...objectOf({
    nodes: arrayOf({ $ref: "NodeRow#" }),
    silent: arrayOf(text("Id of a node that should be there and did not answer")),
    stale: flag("A node has been suspect for long, and it is unknown whether it is dead"),
  }),
} as const;
