/** Stops accepting; connections that are still open do not keep it waiting. */
import type { Server } from "node:net";

export function closeListener(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    if ("closeAllConnections" in server) (server as Server & { closeAllConnections(): void }).closeAllConnections();
    setTimeout(resolve, PATIENCE_MS).unref();
  });
}

/** Sessions have been drained by now; what is left hangs. */
const PATIENCE_MS = 500;
