/** Commands about the connection itself: HELLO, AUTH, PING, SELECT, RESET, QUIT, READONLY, WAIT. */
import type { Millis } from "@sluice/base/brand";
import { smallInteger, syntaxError } from "../arguments.ts";
import { DATABASE_COUNT } from "../client-state.ts";
import { type CommandCall, defineCommands } from "../command.ts";
import { refuse } from "../errors.ts";
import { REDIS_VERSION_SHOWN } from "./info.ts";
import { roleWord } from "./role.ts";
import type { RespRequest } from "../request.ts";

function ping({ request, reply, client }: CommandCall): void {
  if (request.count > 2) refuse("ERR wrong number of arguments for 'ping' command");
  if (client.subscriptionCount > 0 && reply.protocol === 2) {
    reply.array(2);
    reply.bulkText("pong");
    if (request.count === 2) reply.bulk(request.argument(1));
    else reply.bulkText("");
  } else if (request.count === 2) reply.bulk(request.argument(1));
  else reply.simple("PONG");
}

function select({ request, reply, client }: CommandCall): void {
  const database = smallInteger(request, 1);
  if (database < 0 || database >= DATABASE_COUNT) refuse("ERR DB index is out of range");
  client.database = database;
  reply.simple("OK");
}

function quit(call: CommandCall): void {
  call.reply.simple("OK");
  call.quit();
}

function reset({ reply, client, needsPassword }: CommandCall): void {
  client.name = "";
  client.database = 0;
  client.acceptsStale = false;
  client.transaction = undefined;
  client.watched.clear();
  client.channels.clear();
  client.patterns.clear();
  client.isAuthenticated = !needsPassword;
  reply.protocol = 2;
  reply.simple("RESET");
}

function auth(call: CommandCall): void {
  const { request, reply } = call;
  if (request.count > 3) syntaxError();
  if (request.count === 2 && !call.needsPassword) {
    refuse(
      "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
    );
  }
  logIn(call, request.count === 3 ? request.text(1) : "default", request.text(request.count - 1));
  reply.simple("OK");
}

function logIn(call: CommandCall, user: string, password: string): void {
  if (!call.authenticate(user, password)) {
    refuse("WRONGPASS invalid username-password pair or user is disabled.");
  }
  call.client.isAuthenticated = true;
}

/** HELLO [2 | 3 [AUTH user password] [SETNAME name]]. */
function hello(call: CommandCall): void {
  const { request, reply, client } = call;
  const protocol = request.count > 1 ? helloProtocol(request) : reply.protocol;
  for (let i = 2; i < request.count; i++) {
    const word = request.word(i);
    if (word === "auth" && i + 2 < request.count) logIn(call, request.text(i + 1), request.text(i + 2));
    else if (word === "setname" && i + 1 < request.count) client.name = clientName(request, i + 1);
    else refuse(`ERR Syntax error in HELLO option '${request.text(i)}'`);
    i += word === "auth" ? 2 : 1;
  }
  if (!client.isAuthenticated) {
    refuse(
      "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time",
    );
  }
  reply.protocol = protocol;
  replyHello(call);
}

function helloProtocol(request: RespRequest): 2 | 3 {
  const value = smallInteger(request, 1, "ERR Protocol version is not an integer or out of range");
  return value === 2 || value === 3 ? value : refuse("NOPROTO unsupported protocol version");
}

function replyHello({ reply, row, backend }: CommandCall): void {
  reply.map(7);
  reply.bulkText("server");
  reply.bulkText("redis");
  reply.bulkText("version");
  reply.bulkText(REDIS_VERSION_SHOWN);
  reply.bulkText("proto");
  reply.integer(reply.protocol);
  reply.bulkText("id");
  reply.integer(row.id);
  reply.bulkText("mode");
  reply.bulkText("standalone");
  reply.bulkText("role");
  reply.bulkText(roleWord(backend.cluster));
  reply.bulkText("modules");
  reply.array(0);
}

/** @throws {CommandRefusal} for spaces, line ends and unprintable characters */
export function clientName(request: RespRequest, index: number): string {
  const name = request.text(index);
  if (!/^[!-~]*$/.test(name)) refuse("ERR Client names cannot contain spaces, newlines or special characters.");
  return name.length > 256 ? refuse("ERR Client names cannot be longer than 256 characters") : name;
}

function wait(call: CommandCall): void {
  const count = smallInteger(call.request, 1);
  const timeout = smallInteger(call.request, 2, "ERR timeout is not an integer or out of range");
  if (timeout < 0) refuse("ERR timeout is negative");
  if (call.backend.cluster.role !== "leader")
    refuse(
      "ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is configured to be writable (which is not the default) writes to replicas are just local and are not propagated.",
    );
  call.waitForReplicas(count, timeout as Millis);
}

function acceptStale({ reply, client }: CommandCall, acceptsStale: boolean): void {
  client.acceptsStale = acceptsStale;
  reply.simple("OK");
}

export const CONNECTION_COMMANDS = defineCommands("connection", [
  {
    name: "ping",
    kind: "local",
    arity: -1,
    run: ping,
    isQueueable: true,
    isForSubscribers: true,
    summary: "Tests the connection",
    flags: ["fast"],
  },
  {
    name: "echo",
    kind: "local",
    arity: 2,
    isQueueable: true,
    run: ({ request, reply }) => reply.bulk(request.argument(1)),
    summary: "Returns its argument",
  },
  { name: "select", kind: "local", arity: 2, run: select, isQueueable: true, summary: "Changes the database" },
  {
    name: "quit",
    kind: "local",
    arity: -1,
    run: quit,
    isOpen: true,
    isControl: true,
    isForSubscribers: true,
    summary: "Closes the connection",
  },
  {
    name: "reset",
    kind: "local",
    arity: 1,
    run: reset,
    isOpen: true,
    isControl: true,
    isForSubscribers: true,
    summary: "Resets the connection",
  },
  {
    name: "hello",
    kind: "local",
    work: 20,
    arity: -1,
    run: hello,
    isOpen: true,
    summary: "Selects the protocol version",
  },
  { name: "auth", kind: "local", arity: -2, run: auth, isOpen: true, summary: "Authenticates the client" },
  {
    name: "readonly",
    kind: "local",
    arity: 1,
    run: (call) => acceptStale(call, true),
    summary: "Allows reads from a follower",
  },
  {
    name: "readwrite",
    kind: "local",
    arity: 1,
    run: (call) => acceptStale(call, false),
    summary: "Ends READONLY",
  },
  {
    name: "wait",
    kind: "local",
    arity: 3,
    run: wait,
    summary: "Waits until replicas hold the preceding writes",
    flags: ["noscript"],
  },
]);
