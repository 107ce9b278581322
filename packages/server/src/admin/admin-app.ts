/** The admin side of the HTTP port: API, metrics, health and console, as one request listener without a port of its own. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import type { Meter } from "@sluice/base/meter";
import fastify, { type FastifyInstance } from "fastify";
import { type AdminAccess, refuseUnlessAllowed } from "./admin-access.ts";
import type { AdminSource } from "./admin-source.ts";
import { sendApiError } from "./api-error.ts";
import { admitToConsole, consoleRoutes } from "./console-routes.ts";
import { demoRoutes } from "./demo-routes.ts";
import { answerErrorsOf, answerNotFound, answerThrown } from "./error-answers.ts";
import { EventFanout } from "./event-fanout.ts";
import { eventRoutes } from "./event-routes.ts";
import { type AdminLimits, DEFAULT_ADMIN_LIMITS } from "./limits.ts";
import { describeRoutes, openapiRoute } from "./openapi.ts";
import { clusterRoutes } from "./cluster-routes.ts";
import { objectRoutes } from "./object-routes.ts";
import { openRoutes } from "./open-routes.ts";
import { answerListedOrigin, refuseForeignChange } from "./origin-rules.ts";
import { withOtherMethods } from "./other-methods.ts";
import { answers } from "./route-schemas.ts";
import { text } from "./schema-form.ts";
import { nodeRoutes, sessionRoutes } from "./session-routes.ts";
import { previewRoutes, streamRoutes, testPatternRoutes } from "./stream-routes.ts";

const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export interface AdminAppOptions {
  readonly source: AdminSource;
  /** The page of `/metrics`, in Prometheus' text form. */
  readonly metrics: () => Promise<string>;
  /** Holds the built console; `undefined` where there is none. */
  readonly consoleDir: string | undefined;
  readonly access: AdminAccess;
  /** Origins such as `https://ops.example.com` whose pages may use the API with a token. */
  readonly corsOrigins: readonly string[];
  /** Of the server, for the OpenAPI document. */
  readonly version: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly meter: Meter;
  readonly limits?: AdminLimits;
}

/** Closing it ends the open event streams; what comes later is answered 503. */
export function createAdminApp(options: AdminAppOptions): FastifyInstance {
  const limits = options.limits ?? DEFAULT_ADMIN_LIMITS;
  const app = fastify({
    logger: false,
    bodyLimit: limits.bodyBytes,
    return503OnClosing: false,
    routerOptions: { maxParamLength: limits.pathPartLength },
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
    frameworkErrors: (thrown, request, reply) => {
      answerThrown(thrown, request, reply, options.log);
    },
  });
  app.removeContentTypeParser("text/plain"); // JSON or nothing: a plain form of another site must not pass
  answerErrorsOf(app, options.log);
  everyAnswer(app, options);
  describeRoutes(app, options.version);
  app.register(async (open) => withOtherMethods(open, () => openRoutes(open, options.source.view, options.access)));
  const demoDir = options.consoleDir && join(options.consoleDir, "demo");
  app.register(
    async (pages) => {
      const { demo } = options.source;
      withOtherMethods(pages, () => demoRoutes(pages, { demo, directory: demoDir, access: options.access }));
    },
    { prefix: "/demo" },
  );
  app.register(async (guarded) => guardedRoutes(guarded, options, limits));
  return app;
}

/** A listener for any node:http or node:https server; resolves once every route is in place. */
export async function adminListener(
  app: FastifyInstance,
): Promise<(request: IncomingMessage, response: ServerResponse) => void> {
  await app.ready();
  return (request, response) => app.routing(request, response);
}

function everyAnswer(app: FastifyInstance, { corsOrigins, meter }: AdminAppOptions): void {
  let isClosing = false;
  app.addHook("preClose", async () => {
    isClosing = true;
  });
  app.addHook("onRequest", async (request, reply) => {
    reply.headers({
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
    });
    answerListedOrigin(corsOrigins, request, reply);
    return isClosing
      ? sendApiError(reply.header("connection", "close"), "ADMIN_CLOSING", "Cannot answer: the server is stopping")
      : undefined;
  });
  app.addHook("onResponse", async (_request, reply) => {
    meter
      .counter("admin_requests", "Answers of the admin port", { status: `${Math.trunc(reply.statusCode / 100)}xx` })
      .add();
  });
}

function guardedRoutes(app: FastifyInstance, options: AdminAppOptions, limits: AdminLimits): void {
  const { source, access } = options;
  app.register(async (page) => {
    page.addHook("onRequest", (request, reply) => refuseUnlessAllowed(access, request, reply));
    withOtherMethods(page, () => metricsRoute(page, options.metrics));
  });
  app.register(
    async (api) => {
      api.addHook("onRequest", (request, reply) => refuseUnlessAllowed(access, request, reply));
      api.addHook("onRequest", async (request, reply) => refuseForeignChange(options.corsOrigins, request, reply));
      answerNotFound(api);
      const fanout = new EventFanout({ source: source.view, clock: options.clock, meter: options.meter, limits });
      api.addHook("preClose", async () => fanout[Symbol.dispose]());
      withOtherMethods(api, () => apiRoutes(api, source, fanout, limits));
    },
    { prefix: "/api/v1" },
  );
  app.register(
    async (pages) => {
      pages.addHook("onRequest", (request, reply) => admitToConsole(access, request, reply));
      answerNotFound(pages);
      consoleRoutes(pages, options.consoleDir);
    },
    { prefix: "/console" },
  );
}

function apiRoutes(api: FastifyInstance, source: AdminSource, fanout: EventFanout, limits: AdminLimits): void {
  streamRoutes(api, source, limits);
  testPatternRoutes(api, source, limits);
  previewRoutes(api, source, limits);
  sessionRoutes(api, source, limits);
  nodeRoutes(api, source);
  clusterRoutes(api, source.cluster);
  objectRoutes(api, source.objects, limits);
  eventRoutes(api, fanout);
  openapiRoute(api);
}

/** In Prometheus' text form. */
function metricsRoute(app: FastifyInstance, metrics: () => Promise<string>): void {
  const page = { description: "Prometheus text form", content: { "text/plain": { schema: text() } } };
  const schema = { summary: "Metrics", tags: ["health"], response: answers({ 200: page }) };
  app.get("/metrics", { schema }, async (_request, reply) => {
    const page = await metrics();
    return reply.type(METRICS_TYPE).serializer(String).send(page);
  });
}
