/** The interface of every server under test, and helpers for free ports and a certificate. */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { PinnedProcess } from "../pinned-process.ts";

/** The server's core; players and publisher run on the other. */
export const SERVER_CORE = 0;
export const PLAYER_CORE = 1;

export type Protocol = "rtmp" | "http" | "ws" | "raw";

export interface RunningServer extends AsyncDisposable {
  readonly process: PinnedProcess;
  /** By protocol; `+tls` for the secured port. Missing: not served. */
  readonly ports: Readonly<Partial<Record<Protocol | `${Protocol}+tls` | "cluster" | "resp", number>>>;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "sluice-bench-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** A self-signed P-256 certificate in that folder. */
export function makeCertificate(folder: string): Certificate {
  const cert = join(folder, "cert.pem");
  const key = join(folder, "key.pem");
  const kind = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-days",
    "2",
    "-subj",
    "/CN=localhost",
  ];
  execFileSync("openssl", ["req", "-x509", ...kind, "-keyout", key, "-out", cert], { stdio: "ignore" });
  return { cert, key };
}

/** Waits until the port accepts connections. */
export async function untilListening(port: number, timeoutMs: number): Promise<void> {
  for (const end = Date.now() + timeoutMs; Date.now() < end; await sleep(100)) {
    const socket = connect(port, "127.0.0.1");
    const opened = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
    socket.destroy();
    if (opened) return;
  }
  throw new Error(`Nothing listens on port ${port} after ${timeoutMs} ms`);
}
