/** `/streams` and `/test-patterns`: live streams as rows, and the server's own synthetic ones. */
import type { StreamsAnswer, TestPatternRow } from "@sluice/client/admin-contract";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { AdminSource } from "./admin-source.ts";
import { sendApiError } from "./api-error.ts";
import type { AdminLimits } from "./limits.ts";
import {
  answers,
  KEY_IN_PATH,
  listOf,
  nothing,
  PAGE_IN_QUERY,
  pageAsked,
  type PageQuery,
  rowOf,
} from "./route-schemas.ts";
import { arrayOf, count, objectOf, schemaOf, text } from "./schema-form.ts";

const STREAMS = {
  description: "A page of streams: this node's own first, then those that only others have",
  ...schemaOf<StreamsAnswer>()(
    objectOf({
      streams: arrayOf({ $ref: "StreamRow#" } as const),
      total: count("All streams, those of other pages included"),
      silent: arrayOf(text("Id of a node that did not answer")),
    }),
  ),
} as const;

const DEFAULT_PATTERN_KEY = "demo/test-pattern";

interface KeyInPath {
  readonly Params: { readonly "*": string };
}

export function streamRoutes(app: FastifyInstance, source: AdminSource, limits: AdminLimits): void {
  const list = {
    summary: "Live streams",
    tags: ["streams"],
    querystring: { type: "object", properties: PAGE_IN_QUERY },
    response: answers({ 200: STREAMS }),
  };
  app.get<{ Querystring: PageQuery }>("/streams", { schema: list }, (request) =>
    source.streams.list(pageAsked(request.query, limits.listRows)),
  );

  const one = {
    summary: "One live stream",
    tags: ["streams"],
    params: KEY_IN_PATH,
    response: answers({ 200: rowOf("The stream", "StreamRow#") }, [404]),
  };
  app.get<KeyInPath>("/streams/*", { schema: one }, async (request, reply) => {
    const key = request.params["*"];
    return (await source.streams.find(key)) ?? sendApiError(reply, "ADMIN_NOT_FOUND", `Cannot find stream "${key}"`);
  });
}

export function testPatternRoutes(app: FastifyInstance, source: AdminSource, limits: AdminLimits): void {
  const list = {
    summary: "Running test patterns",
    tags: ["test patterns"],
    response: answers({ 200: listOf("testPatterns", "TestPatternRow#") }),
  };
  app.get("/test-patterns", { schema: list }, async () => ({ testPatterns: source.view.testPatterns() }));

  const start = {
    summary: "Start a moving synthetic stream",
    tags: ["test patterns"],
    body: bodyWithKey(limits),
    response: answers(
      { 200: rowOf("It runs already", "TestPatternRow#"), 201: rowOf("Started", "TestPatternRow#") },
      [409, 413, 415],
    ),
  };
  app.post<{ Body: { readonly key?: string } | null | undefined }>(
    "/test-patterns",
    { schema: start },
    async (request, reply) => startTestPattern(source, request.body?.key ?? DEFAULT_PATTERN_KEY, reply),
  );

  const stop = {
    summary: "Stop a test pattern",
    tags: ["test patterns"],
    params: KEY_IN_PATH,
    response: answers({ 204: nothing("Stopped") }, [404]),
  };
  app.delete<KeyInPath>("/test-patterns/*", { schema: stop }, async (request, reply) => {
    const key = request.params["*"];
    if (!source.patterns.stop(key)) return sendApiError(reply, "ADMIN_NOT_FOUND", `Cannot find test pattern "${key}"`);
    return reply.code(204).send();
  });
}

export function previewRoutes(app: FastifyInstance, source: AdminSource, limits: AdminLimits): void {
  const open = {
    summary: "Get a right to watch one stream, whatever viewers need",
    tags: ["streams"],
    body: { ...objectOf({ key: keyIn(limits, "StreamKey") }) },
    response: answers({ 201: rowOf("A right that is good for half a minute", "PreviewRow#") }, [413, 415]),
  };
  app.post<{ Body: { readonly key: string } }>("/previews", { schema: open }, async (request, reply) => {
    const row = source.openPreview(request.body.key);
    if (row === undefined) return sendApiError(reply, "ADMIN_BAD_REQUEST", "No stream can have this key");
    return reply.code(201).send(row);
  });
}

async function startTestPattern(source: AdminSource, key: string, reply: FastifyReply): Promise<FastifyReply> {
  const outcome = await source.patterns.start(key);
  const row: TestPatternRow = { key };
  if (outcome === "started") return reply.code(201).send(row);
  if (outcome === "already-running") return reply.code(200).send(row);
  return sendApiError(reply, "ADMIN_TEST_PATTERN_REFUSED", `Cannot start test pattern "${key}": ${outcome.refused}`);
}

/** May be left out as a whole. */
function bodyWithKey(limits: AdminLimits): object {
  const key = keyIn(limits, `StreamKey; ${DEFAULT_PATTERN_KEY} when left out`);
  return { type: ["object", "null"], additionalProperties: false, properties: { key } };
}

function keyIn(limits: AdminLimits, description: string) {
  return { type: "string", minLength: 1, maxLength: limits.keyLength, description } as const;
}
