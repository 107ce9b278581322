/** Opens a server socket, or reports why it cannot be opened. */
import type { AddressInfo, Server } from "node:net";
import { UnavailableError } from "@sluice/base/errors";

/** A port cannot be listened on: taken, forbidden, or no such address. */
export class ListenError extends UnavailableError {
  override readonly name = "ListenError";
  readonly code = "UNAVAILABLE_LISTEN";
  readonly context: { readonly listener: string; readonly host: string; readonly port: number };

  constructor(
    context: { readonly listener: string; readonly host: string; readonly port: number },
    cause: NodeJS.ErrnoException,
  ) {
    super(
      `Cannot listen for ${context.listener} on ${shown(context.host)}:${context.port}: ${REASONS[cause.code ?? ""] ?? cause.message}`,
      { cause },
    );
    this.context = context;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program has the port",
  EACCES: "this user may not use the port",
  EADDRNOTAVAIL: "this machine has no such address",
};

export interface ListenAt {
  readonly listener: string;
  readonly host: string;
  readonly port: number;
  /** A connection could not be accepted, for instance because file descriptors ran out; the listener goes on. */
  readonly failed: (error: Error) => void;
}

/** @returns `host:port` as bound, with port 0 resolved. @throws {ListenError} */
export function listen(server: Server, { failed, ...where }: ListenAt): Promise<string> {
  return new Promise((resolve, reject) => {
    const onError = (cause: Error): void => reject(new ListenError(where, cause));
    server.once("error", onError);
    server.listen({ host: where.host, port: where.port, backlog: BACKLOG }, () => {
      server.off("error", onError);
      server.on("error", failed);
      const { address, port, family } = server.address() as AddressInfo;
      resolve(`${family === "IPv6" ? `[${address}]` : address}:${port}`);
    });
  });
}

/** Connections that may wait to be accepted: at the start of an event a crowd arrives within a second. */
const BACKLOG = 4096;

function shown(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
