/** COMMAND, CONFIG and TIME: requests of clients and tools at start. */
import { type Command, type CommandCall, defineCommands } from "../command.ts";
import { refuse } from "../errors.ts";
import { Glob } from "../glob.ts";
import { encodeUtf8 } from "@sluice/bytes/byte-writer";

/** Settings that `redis-benchmark` and libraries read; read-only. */
const SETTINGS: readonly (readonly [string, string])[] = [
  ["save", ""],
  ["appendonly", "yes"],
  ["maxmemory", "0"],
  ["maxmemory-policy", "allkeys-lru"],
  ["databases", "16"],
  ["proto-max-bulk-len", String(16 * 1024 * 1024)],
  ["timeout", "0"],
];

/** Cost of parsing a pattern and comparing all settings with it. */
const WORK_PER_PATTERN = 16;

function configGet(call: CommandCall): void {
  const { request, reply } = call;
  call.spend(WORK_PER_PATTERN * request.count);
  const globs = Array.from({ length: request.count - 2 }, (_, i) => new Glob(encodeUtf8(request.word(i + 2))));
  const found = SETTINGS.filter(([name]) => globs.some((glob) => glob.matches(encodeUtf8(name))));
  reply.map(found.length);
  for (const [name, value] of found) {
    reply.bulkText(name);
    reply.bulkText(value);
  }
}

function configSet({ request }: CommandCall): void {
  if (request.count % 2 !== 0) refuse("ERR syntax error");
  for (let i = 2; i < request.count; i += 2) {
    const isKnown = SETTINGS.some(([name]) => name === request.word(i));
    if (!isKnown) refuse(`ERR Unknown option or number of arguments for CONFIG SET - '${request.text(i)}'`);
  }
  refuse(`ERR CONFIG SET failed (possibly related to argument '${request.text(2)}') - can't set immutable config`);
}

function time({ reply, wall }: CommandCall): void {
  reply.array(2);
  reply.bulkText(String(Math.floor(wall / 1_000)));
  reply.bulkText(String(Math.floor((wall % 1_000) * 1_000)));
}

/** Ten fields, like COMMAND of Redis 7. */
function replyCommand(call: CommandCall, command: Command | undefined): void {
  const { reply } = call;
  if (command === undefined) return reply.noList();
  reply.array(10);
  reply.bulkText(command.name);
  reply.integer(command.arity);
  reply.set(command.flags.length);
  for (const flag of command.flags) reply.simple(flag);
  for (const place of command.keys) reply.integer(place);
  reply.set(0);
  reply.array(0);
  reply.array(0);
  reply.array(0);
}

/** Each takes several fields. */
const WORK_PER_COMMAND = 8;

function replyDocs(call: CommandCall, commands: readonly Command[]): void {
  const { reply } = call;
  call.spend(WORK_PER_COMMAND * commands.length);
  reply.map(commands.length);
  for (const { name, summary, group } of commands) {
    reply.bulkText(name);
    reply.map(3);
    reply.bulkText("summary");
    reply.bulkText(summary);
    reply.bulkText("since");
    reply.bulkText("1.0.0");
    reply.bulkText("group");
    reply.bulkText(group);
  }
}

/** @param find  by name in lower case; @param all  without subcommands */
export function serverCommands(find: (name: string) => Command | undefined, all: () => readonly Command[]) {
  const named = ({ request }: CommandCall) =>
    Array.from({ length: request.count - 2 }, (_, i) => find(request.word(i + 2)));
  const replyAll = (call: CommandCall, commands: readonly (Command | undefined)[]) => {
    call.spend(WORK_PER_COMMAND * commands.length);
    call.reply.array(commands.length);
    for (const command of commands) replyCommand(call, command);
  };
  const local = { kind: "local", flags: ["loading", "stale"] } as const;
  return defineCommands("server", [
    { ...local, name: "command", arity: -1, run: (call) => replyAll(call, all()), summary: "All commands" },
    {
      ...local,
      name: "command|count",
      arity: 2,
      run: ({ reply }) => reply.integer(all().length),
      summary: "How many commands there are",
    },
    {
      ...local,
      name: "command|info",
      arity: -2,
      run: (call) => replyAll(call, call.request.count === 2 ? all() : named(call)),
      summary: "Some commands",
    },
    {
      ...local,
      name: "command|docs",
      arity: -2,
      run: (call) => replyDocs(call, call.request.count === 2 ? all() : named(call).filter((one) => one !== undefined)),
      summary: "What commands are for",
    },
    { ...local, name: "config|get", arity: -3, run: configGet, summary: "Settings that tools ask for" },
    { ...local, name: "config|set", arity: -4, run: configSet, summary: "Refused: settings are made at start" },
    { ...local, name: "time", arity: 1, run: time, isQueueable: true, summary: "The leader's time" },
  ]);
}
