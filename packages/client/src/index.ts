/** What `@sluice/client` offers to programs: the SDK of `sluice.v1`. */
import { Connection, type ConnectOptions } from "./sdk/connection.ts";
import { webPlatform } from "./sdk/platform.ts";

/**
 * Returns at once: objects may be opened and written before the connection is there.
 * @param url  `ws://HOST:PORT/PATH` or `wss://…`; the path is that of the application or room
 */
export function connect(url: string, options: ConnectOptions = {}): Connection {
  return new Connection(webPlatform(), url, options);
}

export {
  Connection,
  type ConnectionState,
  type ConnectOptions,
  type Method,
  type SharedObjectOptions,
} from "./sdk/connection.ts";
export { type Batch, type ObjectEvents, SharedObject } from "./sdk/shared-object.ts";
export { SluiceError, type SluiceErrorCode } from "./sdk/sluice-error.ts";
export type { PlainObject, PlainValue } from "./contract/plain-value.ts";
export type { CurrentProperty, PositionText } from "./contract/sluice-v1.ts";
