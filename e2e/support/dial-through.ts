/**
 * Loaded into a program before its own code (`node --import`): what it dials on loopback goes through other ports, so
 * that every direction between two processes has a proxy of its own. `TEST_DIAL_THROUGH` is JSON, port dialled → port
 * used.
 */
import { Socket } from "node:net";

const through = JSON.parse(process.env["TEST_DIAL_THROUGH"] ?? "{}") as Readonly<Record<string, number>>;
const connect = Socket.prototype.connect;

/** `net.connect` hands over one list: the options, then a listener or null. */
function redirect(this: Socket, ...given: unknown[]): Socket {
  const [first] = Array.isArray(given[0]) ? (given[0] as unknown[]) : given;
  const options = first as { port?: number | string };
  const port = through[String(options.port)];
  if (port !== undefined) options.port = port;
  return Reflect.apply(connect, this, given) as Socket;
}

Socket.prototype.connect = redirect as typeof connect;
