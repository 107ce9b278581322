/** Node-Media-Server in a child process of its own, its logs off. */
import { join } from "node:path";
import { PinnedProcess } from "../pinned-process.ts";
import { freePort, makeCertificate, type RunningServer, SERVER_CORE, temporaryFolder } from "./running-server.ts";

export async function startNodeMediaServer(): Promise<RunningServer> {
  const folder = temporaryFolder();
  const certificate = makeCertificate(folder.path);
  const [rtmp, rtmps, http, https] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const config = {
    bind: "127.0.0.1",
    notify: { url: "" },
    store: { path: join(folder.path, "store") },
    auth: { play: false, publish: false },
    rtmp: { port: rtmp },
    rtmps: { port: rtmps, ...certificate },
    http: { port: http },
    https: { port: https, ...certificate },
    webadmin: { enable: false },
    record: { auto: false, path: join(folder.path, "record") },
  };
  const args = [join(import.meta.dirname, "node-media-server-child.ts"), JSON.stringify(config)];
  const child = new PinnedProcess({ core: SERVER_CORE, command: process.execPath, args, cwd: folder.path });
  await child.take("ready", 10_000);
  return {
    process: child,
    ports: { rtmp, http, ws: http, "rtmp+tls": rtmps, "http+tls": https, "ws+tls": https },
    async [Symbol.asyncDispose]() {
      await child[Symbol.asyncDispose]();
      folder.remove();
    },
  };
}
