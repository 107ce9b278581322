/** Opens a `sluice.v1` session on a WebSocket. */
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { messageTransport } from "./message-transport.ts";
import type { NetClient, SluiceSettings } from "./net-client.ts";
import { SluiceSession } from "./sluice-session.ts";

export class SluiceSessions {
  readonly #settings: SluiceSettings;

  constructor(settings: SluiceSettings) {
    this.#settings = settings;
  }

  open(webSocket: WebSocket, socket: Socket, client: NetClient): void {
    const { ports } = this.#settings;
    new SluiceSession({
      settings: this.#settings,
      id: ports.registry.nextId(),
      client,
      open: (events) => messageTransport(webSocket, socket, ports, events),
    });
  }
}
