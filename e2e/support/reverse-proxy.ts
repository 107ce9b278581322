/** nginx and Caddy in front of a node: as plain as they come, or as the guide prints them. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { startChild } from "@sluice/testkit/child";
import { freePort } from "@sluice/testkit/free-port";
import { run, WorkFolder } from "./clip.ts";
import { ROOT } from "./server.ts";
import { until } from "@sluice/testkit/until";

export interface Proxy extends AsyncDisposable {
  readonly port: number;
}

/** The guide's blocks name these; a test names others. */
const IN_GUIDE = { upstream: "127.0.0.1:8080", name: "media.example.org" };

/** The only block of that language in the guide. */
export function guideBlock(language: "nginx" | "caddyfile"): string {
  const text = readFileSync(join(ROOT, "docs/guide/reverse-proxy.md"), "utf8");
  const blocks = [...text.matchAll(/```(\w+)\n(.*?)```/gs)].filter(([, name]) => name === language);
  const [block, ...others] = blocks.map(([, , body]) => body);
  if (block === undefined || others.length > 0)
    throw new Error(`Cannot find the block: ${blocks.length} of ${language}`);
  return block;
}

/** @param servers  what stands in nginx's http block, made for the port to listen on */
export async function startNginx(servers: (port: number, folder: WorkFolder) => string): Promise<Proxy> {
  return startProxy((port, folder) => {
    mkdirSync(folder.file("logs"));
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map((name) => `${name}_temp_path ${folder.file(name)};`)
      .join(" ");
    writeFileSync(
      folder.file("nginx.conf"),
      `daemon off; master_process off; pid ${folder.file("nginx.pid")}; events {}
http { access_log off; ${temporary}
${servers(port, folder)}
}
`,
    );
    return ["nginx", "-p", folder.path, "-c", folder.file("nginx.conf"), "-e", "stderr"];
  });
}

/** The guide's block, with a certificate made for the test. */
export function startNginxOfGuide(upstream: number): Promise<Proxy> {
  return startNginx((port, folder) => {
    const { cert, key } = makeCertificate(folder);
    return replaceAll(guideBlock("nginx"), [
      [IN_GUIDE.upstream, `127.0.0.1:${upstream}`],
      ["listen 443 ssl", `listen 127.0.0.1:${port} ssl`],
      [`/etc/ssl/${IN_GUIDE.name}.crt`, cert],
      [`/etc/ssl/${IN_GUIDE.name}.key`, key],
    ]);
  });
}

/** The guide's block, as a site of this machine, for which Caddy is its own authority. */
export function startCaddyOfGuide(upstream: number): Promise<Proxy> {
  return startProxy((port, folder) => {
    const { cert, key } = makeCertificate(folder);
    const block = replaceAll(guideBlock("caddyfile"), [
      [IN_GUIDE.upstream, `127.0.0.1:${upstream}`],
      [`${IN_GUIDE.name} {`, `https://127.0.0.1:${port} {\n  bind 127.0.0.1\n  tls ${cert} ${key}`],
    ]);
    const aside = "admin off\n  auto_https disable_redirects";
    writeFileSync(folder.file("Caddyfile"), `{\n  ${aside}\n}\n${block}`);
    return ["caddy", "run", "--adapter", "caddyfile", "--config", folder.file("Caddyfile")];
  });
}

async function startProxy(prepare: (port: number, folder: WorkFolder) => readonly string[]): Promise<Proxy> {
  const folder = new WorkFolder();
  chmodSync(folder.path, 0o755);
  const port = await freePort();
  const child = startChild(prepare(port, folder), { env: { HOME: folder.path } });
  const failed = child.exited.then(() => {
    throw new Error(`Cannot start the proxy: ${child.output()}`);
  });
  await Promise.race([failed, until("the proxy to listen", async () => (await isListening(port)) || undefined)]);
  failed.catch(() => {}); // it ends with the test
  return {
    port,
    async [Symbol.asyncDispose]() {
      await child.stop(2_000);
      folder[Symbol.dispose]();
    },
  };
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("error", () => resolve(false));
    socket.once("connect", () => {
      resolve(true);
      socket.destroy();
    });
  });
}

function makeCertificate(folder: WorkFolder): { readonly cert: string; readonly key: string } {
  const [cert, key] = [folder.file("cert.pem"), folder.file("key.pem")];
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"];
  run("openssl", ["req", "-x509", ...newKey, "-nodes", "-days", "2", ...subject, "-keyout", key, "-out", cert]);
  return { cert, key };
}

function replaceAll(text: string, pairs: readonly (readonly [from: string, to: string])[]): string {
  return pairs.reduce((sofar, [from, to]) => {
    if (!sofar.includes(from)) throw new Error(`Cannot find "${from}" in the guide's block`);
    return sofar.replaceAll(from, to);
  }, text);
}
