/** Finds a free loopback port, for programs that cannot choose one themselves. */
import { createServer } from "node:net";

/** Another process may take the port first: prefer port 0 if the program supports it. */
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
