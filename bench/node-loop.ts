/** The lower bound in Node: writes the same bytes to every connected player at a fixed rate, and does nothing else. */
// node bench/node-loop.ts [--port 0] [--writes 10] [--bytes-per-second 125000] [--slices 1] [--cert FILE --key FILE]
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    writes: { type: "string", default: "10" },
    "bytes-per-second": { type: "string", default: "125000" },
    slices: { type: "string", default: "1" },
    cert: { type: "string" },
    key: { type: "string" },
  },
});

const writes = Number(values.writes);
const slices = Number(values.slices);
const bytes = Buffer.alloc(Math.round(Number(values["bytes-per-second"]) / writes), 0x5a);
const players: Set<Socket>[] = Array.from({ length: slices }, () => new Set());
let joined = 0;

function join(socket: Socket): void {
  const slice = players[joined++ % slices];
  socket.setNoDelay(true);
  socket.on("error", () => undefined);
  socket.on("close", () => slice?.delete(socket));
  socket.resume();
  slice?.add(socket);
}

/** Ticks by the clock, not by the number of fired timers, so that late timers do not lower the rate. */
function startTicking(): void {
  const periodMs = 1_000 / (writes * slices);
  const begun = performance.now();
  let tick = 0;
  const run = (): void => {
    for (const due = Math.floor((performance.now() - begun) / periodMs); tick < due; tick++) {
      for (const socket of players[tick % slices] ?? []) socket.write(bytes);
    }
    setTimeout(run, Math.max(0, begun + (tick + 1) * periodMs - performance.now()));
  };
  run();
}

const server =
  values.cert !== undefined && values.key !== undefined
    ? createTlsServer({ cert: readFileSync(values.cert), key: readFileSync(values.key) }, join)
    : createServer(join);
server.on("tlsClientError", () => undefined);
server.listen({ port: Number(values.port), host: "127.0.0.1", backlog: 4096 }, () => {
  console.log(JSON.stringify({ event: "ready", port: (server.address() as AddressInfo).port }));
  startTicking();
});
process.on("SIGTERM", () => process.exit(0));
