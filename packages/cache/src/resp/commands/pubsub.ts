/** SUBSCRIBE and related commands: enough for Sentinel's events, the only ones published here. */
import { type CommandCall, defineCommands } from "../command.ts";
import { refuse } from "../errors.ts";

/** Sixteen bytes of a name take about a microsecond to read and store. */
const NAME_BYTES_SHIFT = 4;

type Names = "channels" | "patterns";

function subscribe(call: CommandCall, word: "subscribe" | "psubscribe", names: Names): void {
  const { request, client, limits } = call;
  const wanted: string[] = [];
  for (let i = 1; i < request.count; i++) {
    const length = request.lengthOf(i);
    if (length > limits.patternBytes)
      refuse(`ERR a name of ${length} bytes is longer than the limit of ${limits.patternBytes}`);
    call.spend(length >> NAME_BYTES_SHIFT);
    wanted.push(request.text(i));
  }
  const added = new Set(wanted.filter((name) => !client[names].has(name)));
  if (client.subscriptionCount + added.size > limits.subscriptions)
    refuse(`ERR too many subscriptions: the limit is ${limits.subscriptions}`);
  wanted.forEach((name, i) => {
    client[names].add(name);
    tell(call, word, request.argument(i + 1));
  });
}

function unsubscribe(call: CommandCall, word: "unsubscribe" | "punsubscribe", names: Names): void {
  const { request, client } = call;
  const wanted =
    request.count > 1 ? Array.from({ length: request.count - 1 }, (_, i) => request.text(i + 1)) : [...client[names]];
  if (wanted.length === 0) tell(call, word, undefined);
  for (const name of wanted) {
    client[names].delete(name);
    tell(
      call,
      word,
      Uint8Array.from(name, (char) => char.charCodeAt(0)),
    );
  }
}

function tell({ reply, client }: CommandCall, word: string, name: Uint8Array | undefined): void {
  reply.push(3);
  reply.bulkText(word);
  if (name === undefined) reply.none();
  else reply.bulk(name);
  reply.integer(client.subscriptionCount);
}

const listening = { kind: "local", isForSubscribers: true, flags: ["pubsub", "noscript", "loading", "stale"] } as const;

export const PUBSUB_COMMANDS = defineCommands("pubsub", [
  {
    ...listening,
    name: "subscribe",
    arity: -2,
    run: (call) => subscribe(call, "subscribe", "channels"),
    summary: "Listens to channels",
  },
  {
    ...listening,
    name: "psubscribe",
    arity: -2,
    run: (call) => subscribe(call, "psubscribe", "patterns"),
    summary: "Listens to channels by pattern",
  },
  {
    ...listening,
    name: "unsubscribe",
    arity: -1,
    run: (call) => unsubscribe(call, "unsubscribe", "channels"),
    summary: "Stops listening",
  },
  {
    ...listening,
    name: "punsubscribe",
    arity: -1,
    run: (call) => unsubscribe(call, "punsubscribe", "patterns"),
    summary: "Stops listening by pattern",
  },
]);
