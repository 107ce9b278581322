/** nginx with Debian's libnginx-mod-rtmp: one worker, no logs, a configuration made for the run. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PinnedProcess } from "../pinned-process.ts";
import { freePort, type RunningServer, SERVER_CORE, temporaryFolder, untilListening } from "./running-server.ts";

const MODULE = "/usr/lib/nginx/modules/ngx_rtmp_module.so";

export const hasNginxRtmp = (): boolean => existsSync(MODULE);

function configuration(port: number, folder: string): string {
  return `load_module ${MODULE};
daemon off; master_process off; worker_rlimit_nofile 20000;
pid ${folder}/nginx.pid; error_log /dev/null crit;
events { worker_connections 16000; }
rtmp { access_log off; server { listen 127.0.0.1:${port}; chunk_size 4096; application live { live on; } } }
`;
}

export async function startNginxRtmp(): Promise<RunningServer> {
  const folder = temporaryFolder();
  const port = await freePort();
  mkdirSync(join(folder.path, "logs"));
  writeFileSync(join(folder.path, "nginx.conf"), configuration(port, folder.path));
  const args = ["-p", folder.path, "-c", join(folder.path, "nginx.conf"), "-e", "/dev/null"];
  const process = new PinnedProcess({ core: SERVER_CORE, command: "nginx", args });
  await untilListening(port, 5_000);
  return {
    process,
    ports: { rtmp: port },
    async [Symbol.asyncDispose]() {
      await process[Symbol.asyncDispose]();
      folder.remove();
    },
  };
}
