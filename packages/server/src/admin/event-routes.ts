/** `/events`: what happens on the server, as Server-Sent Events. */
import type { ServerResponse } from "node:http";
import type { FastifyInstance, FastifyReply } from "fastify";
import { sendApiError } from "./api-error.ts";
import type { EventFanout, EventReader } from "./event-fanout.ts";
import { answers } from "./route-schemas.ts";

export function eventRoutes(app: FastifyInstance, fanout: EventFanout): void {
  const stream = {
    description:
      "Each event has `event:` (its type), `id:` (counts up, without replay) and `data:` (an AdminEvent as JSON)",
    content: { "text/event-stream": { schema: { $ref: "AdminEvent#" } } },
  };
  const schema = { summary: "Events as they happen", tags: ["events"], response: answers({ 200: stream }) };
  app.get("/events", { schema, exposeHeadRoute: false }, (_request, reply) => {
    if (fanout.attach(readerOf(reply, fanout)) === "attached") return;
    sendApiError(
      reply.header("retry-after", "5"),
      "ADMIN_TOO_MANY_SUBSCRIBERS",
      "Cannot open event stream: too many are open",
    );
  });
}

/** Takes the response from fastify at the first write, so that a refusal can still be answered in its form. */
function readerOf(reply: FastifyReply, fanout: EventFanout): EventReader {
  const { raw } = reply;
  const reader: EventReader = {
    waitingBytes: () => raw.writableLength,
    write(bytes) {
      if (!raw.headersSent) openStream(reply, () => fanout.detach(reader));
      raw.write(bytes);
    },
    end: () => raw.end(),
    destroy: () => raw.destroy(),
  };
  return reader;
}

function openStream(reply: FastifyReply, onClose: () => void): void {
  const raw: ServerResponse = reply.hijack().raw;
  raw.on("close", onClose);
  raw.on("error", onClose);
  const own = { "content-type": "text/event-stream; charset=utf-8", "x-accel-buffering": "no" };
  raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), ...own });
}
