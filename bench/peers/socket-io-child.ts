/** Socket.IO as people share a position with it: whoever sets is acknowledged, and all clients are told. */
import { createRequire } from "node:module";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

interface Client {
  on(event: "set", listener: (value: unknown, acknowledge?: () => void) => void): void;
}

interface Io {
  on(event: "connection", listener: (client: Client) => void): void;
  emit(event: string, value: unknown): void;
}

const require = createRequire(process.argv[2] ?? "");
const { Server } = require("socket.io") as { readonly Server: new (http: unknown, options: unknown) => Io };

const http = createServer();
const io = new Server(http, { transports: ["websocket"], serveClient: false });
io.on("connection", (client) => {
  client.on("set", (value, acknowledge) => {
    io.emit("change", value);
    acknowledge?.();
  });
});
http.listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify({ event: "ready", port: (http.address() as AddressInfo).port }));
});
process.on("SIGTERM", () => process.exit(0));
