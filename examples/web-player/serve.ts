/** Serves the page and its one library, so that the player can be tried from another origin than the media server's. */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

const FILES: Readonly<Record<string, { readonly type: string; readonly path: string }>> = {
  "/": { type: "text/html; charset=utf-8", path: fileURLToPath(new URL("index.html", import.meta.url)) },
  "/mpegts.js": { type: "text/javascript", path: fileURLToPath(import.meta.resolve("mpegts.js")) },
};

const server = createServer((request, response) => {
  const file = FILES[new URL(request.url ?? "/", "http://page").pathname];
  if (file === undefined) response.writeHead(404).end();
  else response.writeHead(200, { "content-type": file.type }).end(readFileSync(file.path));
});
server.listen(Number(process.env["PORT"] ?? 3001), "127.0.0.1", () => {
  console.log(`Page at ${JSON.stringify(server.address())}`);
});
