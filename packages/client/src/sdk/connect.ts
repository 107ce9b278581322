/** Where a program begins: one call, one connection. */
import { Connection, type ConnectOptions } from "./connection.ts";
import { webPlatform } from "./platform.ts";

/**
 * Returns at once: objects may be opened and written before the connection is there.
 * @param url  `ws://HOST:PORT/PATH` or `wss://…`; the path is that of the application or room
 */
export function connect(url: string, options: ConnectOptions = {}): Connection {
  return new Connection(webPlatform(), url, options);
}
