/** Finds a loopback port that nobody uses, for programs that cannot be told to pick one themselves. */
import { createServer } from "node:net";

/** Another process may take it before you do: where a program can listen on port 0, let it. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === "string") throw new TypeError("Cannot read the port: not a TCP address");
  return address.port;
}
