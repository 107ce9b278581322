/** `/cluster`: the state engine, its members, and what an operator changes about them. */
import type { FastifyInstance, FastifyReply } from "fastify";
import type { AdminCluster, MemberChangeOutcome } from "./admin-source.ts";
import { sendApiError } from "./api-error.ts";
import { answers, nothing } from "./route-schemas.ts";
import { arrayOf, objectOf, oneOf, orNull, text } from "./schema-form.ts";

const MEMBER_IN_PATH = {
  type: "object",
  required: ["id"],
  properties: { id: text("Id of the member's node") },
} as const;

interface MemberInPath {
  readonly Params: { readonly id: string };
}

const ENGINE = {
  description: "The state engine; members only of the embedded cache",
  ...objectOf({
    kind: oneOf(["off", "gcache", "nats", "redis"]),
    leader: orNull(text("Id of the member that leads")),
    members: arrayOf({ $ref: "EngineMemberRow#" }),
  }),
} as const;

export function clusterRoutes(app: FastifyInstance, cluster: AdminCluster): void {
  const engine = { summary: "The state engine and its members", tags: ["nodes"], response: answers({ 200: ENGINE }) };
  app.get("/cluster", { schema: engine }, () => cluster.engine());

  const remove = {
    summary: "Remove a member that is gone for good",
    tags: ["nodes"],
    params: MEMBER_IN_PATH,
    response: answers({ 204: nothing("Removed") }, [409]),
  };
  app.delete<MemberInPath>("/cluster/members/:id", { schema: remove }, async ({ params: { id } }, reply) =>
    answer(reply, await cluster.changeMember({ type: "remove", id })),
  );

  const replace = {
    summary: "Take the store that a node has now in the place of one that was lost",
    tags: ["nodes"],
    params: MEMBER_IN_PATH,
    response: answers({ 204: nothing("Replaced") }, [409]),
  };
  app.post<MemberInPath>("/cluster/members/:id/replace", { schema: replace }, async ({ params: { id } }, reply) =>
    answer(reply, await cluster.changeMember({ type: "replace", id })),
  );
}

function answer(reply: FastifyReply, outcome: MemberChangeOutcome): FastifyReply {
  if (outcome === "done") return reply.code(204).send();
  if ("refused" in outcome) return sendApiError(reply, "ADMIN_MEMBERS_REFUSED", outcome.refused);
  return sendApiError(reply, "ADMIN_NODE_SILENT", `Cannot hear from a member: ${outcome.silent}`);
}
