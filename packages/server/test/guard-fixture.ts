/** A guard with a clock of its own and hooks that really listen, for the guard's tests. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Log, SILENT_LOG } from "@sluice/base/log";
import type { Meter } from "@sluice/base/meter";
import type { AccessRequest } from "@sluice/server/auth/access";
import { readCredentials } from "@sluice/server/auth/credentials";
import { Guard } from "@sluice/server/auth/guard";
import { loadConfig } from "@sluice/server/config/load-config";
import { FakeClock } from "@sluice/testkit/fake-clock";

export const SECRET = "0123456789abcdef";
/** The wall clock of every guard here, seconds since 1970. */
export const NOW = Date.UTC(2026, 0, 1) / 1_000;

/**
 * @param files  contents by absolute path
 * @param lines  gets the fields of what is warned of
 */
export function guardOf(sets: readonly string[], files: Readonly<Record<string, string>> = {}, lines: unknown[] = []) {
  const readFile = (path: string): string => {
    const text = files[path];
    if (text === undefined) throw Object.assign(new Error(`no such file ${path}`), { code: "ENOENT" });
    return text;
  };
  const config = loadConfig({ sets, env: {}, cwd: "/", hostname: "box", readFile });
  const clock = new FakeClock();
  const log: Log = { ...SILENT_LOG, warn: (fields) => void lines.push(fields) };
  const counts = new Map<string, number>();
  const meter: Meter = {
    counter: (name, _help, labels = {}) => ({
      add: (by = 1) => {
        const key = [name, ...Object.values(labels)].join(" ");
        counts.set(key, (counts.get(key) ?? 0) + by);
      },
    }),
    gauge: () => ({ set() {} }),
  };
  return { guard: new Guard({ config, clock, meter, log }), clock, counts };
}

/** A request to play live/cam, with what differs. */
export function requestOf(
  facts: Partial<Omit<AccessRequest, "credentials">> & {
    /** One query, or those of connect and of the name. */
    readonly query?: string | readonly string[];
    readonly authorization?: string | readonly string[];
  } = {},
): AccessRequest {
  const { query = [], authorization = [], ...rest } = facts;
  return {
    action: "play",
    protocol: "rtmp",
    app: "live",
    key: "live/cam",
    address: "10.0.0.1",
    sessionId: "s1",
    ...rest,
    credentials: readCredentials([query].flat(), [authorization].flat()),
  };
}

export const NEVER: AbortSignal = new AbortController().signal;

export interface Hook extends AsyncDisposable {
  readonly url: string;
  /** Bodies and headers of what arrived, oldest first. */
  readonly heard: {
    readonly body: Record<string, unknown>;
    readonly headers: IncomingMessage["headers"];
    readonly method: string | undefined;
  }[];
}

/** Listens on a free port of this machine. */
export async function openHook(answer: (response: ServerResponse, count: number) => void): Promise<Hook> {
  const heard: Hook["heard"][number][] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    heard.push({ body: JSON.parse(Buffer.concat(parts).toString()), headers: request.headers, method: request.method });
    answer(response, heard.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${port}/hook`, heard, [Symbol.asyncDispose]: close };
}
