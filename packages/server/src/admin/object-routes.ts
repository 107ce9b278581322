/** `/objects`: shared objects of the cluster, their properties, and what an operator does to them. */
import type { FastifyInstance, FastifyReply } from "fastify";
import type { AdminObjects, ObjectRefusal, PropertyChange } from "./admin-source.ts";
import { type ApiErrorCode, sendApiError } from "./api-error.ts";
import type { AdminLimits } from "./limits.ts";
import { MOVED, OBJECT, OBJECTS, WRITTEN } from "./object-schemas.ts";
import { answers, nothing, PAGE_IN_QUERY } from "./route-schemas.ts";
import { anyJson, objectOf, text } from "./schema-form.ts";

const PATH = {
  type: "object",
  required: ["*"],
  properties: { "*": text("Path of the object; its slashes stay slashes") },
} as const;

const ONE_PROPERTY = text("Name of a property");

const POSITION_IN_QUERY = text("Only if the property stands at this EPOCH/VERSION; `none`: only if there is none");

interface PathInPath {
  readonly Params: { readonly "*": string };
}

interface PropertyInQuery extends PathInPath {
  readonly Querystring: { readonly property?: string; readonly at?: string };
}

const TAGS = ["objects"];

export function objectRoutes(app: FastifyInstance, objects: AdminObjects, limits: AdminLimits): void {
  readRoutes(app, objects, limits);
  propertyRoutes(app, objects, limits);
  orderRoutes(app, objects);
}

function readRoutes(app: FastifyInstance, objects: AdminObjects, limits: AdminLimits): void {
  const list = {
    summary: "Shared objects",
    tags: TAGS,
    querystring: {
      type: "object",
      properties: {
        limit: { ...PAGE_IN_QUERY.limit, description: `Rows wanted; at most, and by default, ${limits.objectRows}` },
        after: text("Path of the last object of the page before"),
      },
    },
    response: answers({ 200: OBJECTS }),
  };
  app.get<{ Querystring: { readonly limit?: string; readonly after?: string } }>(
    "/objects",
    { schema: list },
    ({ query: { limit, after = "" } }) =>
      objects.list({ after, limit: Math.min(limits.objectRows, Number(limit ?? limits.objectRows)) }),
  );

  const one = {
    summary: "One object with its properties",
    tags: TAGS,
    params: PATH,
    querystring: {
      type: "object",
      properties: {
        limit: { ...PAGE_IN_QUERY.limit, description: "Properties wanted, the first by name; by default all" },
      },
    },
    response: answers({ 200: OBJECT }, [404, 409]),
  };
  app.get<PathInPath & { Querystring: { readonly limit?: string } }>(
    "/objects/*",
    { schema: one },
    async ({ params, query: { limit } }, reply) =>
      answer(reply, await objects.find(pathIn(params), limit === undefined ? Number.POSITIVE_INFINITY : Number(limit))),
  );
}

function propertyRoutes(app: FastifyInstance, objects: AdminObjects, limits: AdminLimits): void {
  const written = answers({ 200: WRITTEN }, [404, 409, 413, 415]);
  const { objectBodyBytes: bodyLimit } = limits;
  const put = {
    summary: "Set one property to any JSON",
    tags: TAGS,
    params: PATH,
    querystring: {
      type: "object",
      required: ["property"],
      properties: { property: ONE_PROPERTY, at: POSITION_IN_QUERY },
    },
    body: anyJson("The value; what JSON has no word for is tagged as in sluice.v1"),
    response: written,
  };
  app.put<PropertyInQuery>("/objects/*", { schema: put, bodyLimit }, async ({ params, query, body }, reply) => {
    if (body === undefined)
      return sendApiError(reply, "ADMIN_BAD_REQUEST", "Cannot set the property: the body holds no JSON");
    const { property: name = "", at } = query;
    const set: PropertyChange = { type: "set", name, value: body, ...(at !== undefined && { at }) };
    return answer(reply, await objects.write(pathIn(params), [set]));
  });

  const patch = {
    summary: "Set several properties as one change; null removes",
    tags: TAGS,
    params: PATH,
    body: { type: "object", additionalProperties: true, description: "Values by name, as RFC 7396 on one level" },
    response: written,
  };
  app.patch<PathInPath & { Body: Readonly<Record<string, unknown>> }>(
    "/objects/*",
    { schema: patch, bodyLimit },
    async ({ params, body }, reply) => answer(reply, await objects.write(pathIn(params), changesIn(body))),
  );
}

function orderRoutes(app: FastifyInstance, objects: AdminObjects): void {
  const move = {
    summary: "`/clear` removes all properties; `/move` gives the object to another node, its new home",
    tags: TAGS,
    params: { ...PATH, properties: { "*": text("Path of the object, and `/clear` or `/move` behind it") } },
    body: { ...objectOf({ node: text("For `/move`: id of the node") }), required: [], type: ["object", "null"] },
    response: answers({ 200: { anyOf: [WRITTEN, MOVED] } }, [404, 409, 413, 415]),
  };
  app.post<PathInPath & { Body: { readonly node?: string } | null | undefined }>(
    "/objects/*",
    { schema: move },
    async ({ params, body }, reply) => {
      const [, path = "", order] = /^(.+)\/(clear|move)$/.exec(pathIn(params)) ?? [];
      if (order === "clear") return answer(reply, await objects.write(path, [{ type: "clear" }]));
      if (order !== "move")
        return sendApiError(reply, "ADMIN_NOT_FOUND", "Cannot do this: the path ends in neither /clear nor /move");
      const node = body?.node;
      if (node === undefined || node === "")
        return sendApiError(reply, "ADMIN_BAD_REQUEST", 'Cannot move the object: the body names no "node"');
      return answer(reply, await objects.move(path, node));
    },
  );

  const remove = {
    summary: "Remove one property, or the whole object where no client uses it",
    tags: TAGS,
    params: PATH,
    querystring: { type: "object", properties: { property: ONE_PROPERTY, at: POSITION_IN_QUERY } },
    response: answers({ 200: WRITTEN, 204: nothing("Forgotten") }, [404, 409]),
  };
  app.delete<PropertyInQuery>("/objects/*", { schema: remove }, async ({ params, query }, reply) => {
    const { property: name, at } = query;
    if (name !== undefined) {
      const change: PropertyChange = { type: "remove", name, ...(at !== undefined && { at }) };
      return answer(reply, await objects.write(pathIn(params), [change]));
    }
    const outcome = await objects.forget(pathIn(params));
    return outcome === "done" ? reply.code(204).send() : answer(reply, outcome);
  });
}

const CODES: Readonly<Record<ObjectRefusal["refused"], ApiErrorCode>> = {
  "not-found": "ADMIN_NOT_FOUND",
  "bad-request": "ADMIN_BAD_REQUEST",
  conflict: "ADMIN_OBJECT_REFUSED",
  unavailable: "ADMIN_OBJECT_UNAVAILABLE",
};

function answer<T extends object>(reply: FastifyReply, outcome: T | ObjectRefusal): T | FastifyReply {
  if (!("refused" in outcome)) return outcome;
  return sendApiError(reply, CODES[outcome.refused], outcome.detail);
}

/** Slashes that a person typed twice, before or behind it are none. */
function pathIn(params: PathInPath["Params"]): string {
  return params["*"]
    .split("/")
    .filter((part) => part !== "")
    .join("/");
}

function changesIn(body: Readonly<Record<string, unknown>>): readonly PropertyChange[] {
  return Object.entries(body).map(([name, value]) =>
    value === null ? { type: "remove", name } : { type: "set", name, value },
  );
}
