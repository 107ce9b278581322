/** Bounds the requests of one HTTP connection that are under way at once: Node begins all that one read brings. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Meter } from "@sluice/base/meter";

/** Clients that pipeline at all do so with a handful. */
const MOST_REQUESTS = 16;

export class Pipelining {
  readonly #meter: Meter;
  readonly #underWay = new WeakMap<Socket, number>();

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  /** @returns false for one too many, whose connection has been ended */
  admit({ socket }: IncomingMessage, response: ServerResponse): boolean {
    if (socket.destroyed) return false;
    const count = this.#underWay.get(socket) ?? 0;
    if (count >= MOST_REQUESTS) {
      this.#meter
        .counter("http_pipelines_refused_total", "HTTP connections ended because they sent too many requests at once")
        .add();
      socket.destroy();
      return false;
    }
    if (count === 0) socket.setMaxListeners(2 * MOST_REQUESTS);
    this.#underWay.set(socket, count + 1);
    response.once("close", () => this.#underWay.set(socket, (this.#underWay.get(socket) ?? 1) - 1));
    return true;
  }
}
