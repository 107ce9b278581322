/** `/demo/ball`: the ball that everybody drags, open to whoever may open shared objects. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import staticFiles from "@fastify/static";
import type { BallAbout } from "@sluice/client/contract/ball";
import type { FastifyInstance, FastifyReply } from "fastify";
import { type AdminAccess, callerOf } from "./admin-access.ts";
import { sendApiError } from "./api-error.ts";
import { NOT_BUILT, sendPageFile } from "./console-routes.ts";

/** What the demo pages need of the node. */
export interface DemoSource {
  /** `false`: shared objects are switched off for the ball's application. */
  readonly isOpen: boolean;
  /** @param isKnown  the caller may see the API: it is told of other nodes too */
  aboutBall(isKnown: boolean): BallAbout;
}

export interface DemoRoutesOptions {
  readonly demo: DemoSource;
  /** Holds the built pages; `undefined` where there are none. */
  readonly directory: string | undefined;
  readonly access: AdminAccess;
}

interface FileInPath {
  readonly Params: { readonly "*": string };
}

export function demoRoutes(app: FastifyInstance, { demo, directory, access }: DemoRoutesOptions): void {
  app.addHook("onRequest", async (_request, reply) =>
    demo.isOpen
      ? undefined
      : sendApiError(reply, "ADMIN_NOT_FOUND", 'Shared objects are off for the application "ballControl"'),
  );
  app.get("/ball/about", async (request, _reply) => demo.aboutBall((await access(callerOf(request))) === "allowed"));
  if (directory === undefined || !existsSync(join(directory, "ball.html"))) {
    app.get("/ball", async (_request, reply) => reply.code(404).type("text/plain; charset=utf-8").send(NOT_BUILT));
    return;
  }
  app.register(staticFiles, { root: directory, serve: false, cacheControl: false, dotfiles: "ignore", index: false });
  app.get("/ball", async (_request, reply) => sendPageFile(reply, "ball.html"));
  app.get<FileInPath>(
    "/assets/*",
    async (request, reply): Promise<FastifyReply> => sendPageFile(reply, `assets/${request.params["*"]}`),
  );
}
