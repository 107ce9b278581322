/** Stops accepting, without waiting for open connections. */
import type { Server } from "node:net";

export function closeListener(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    if ("closeAllConnections" in server) (server as Server & { closeAllConnections(): void }).closeAllConnections();
    setTimeout(resolve, PATIENCE_MS).unref();
  });
}

/** Sessions are drained by now; a connection still open is stuck. */
const PATIENCE_MS = 500;
