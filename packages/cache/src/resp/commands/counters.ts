/** INCR and related commands. */
import { isNumberText } from "../../state/long-double.ts";
import { integerArgument } from "../arguments.ts";
import { type CommandCall, defineCommands } from "../command.ts";
import { refuse } from "../errors.ts";
import { keyArgument } from "../keys.ts";
import { asInteger, asText } from "../reply-forms.ts";

const KEY = [1, 1, 1] as const;
const LOWEST = -(2n ** 63n);

function increment(call: CommandCall, by: bigint): void {
  const { client, request } = call;
  call.propose({ type: "increment", cache: client.cache, key: keyArgument(request, 1), by }, asInteger);
}

function decrby(call: CommandCall): void {
  const by = integerArgument(call.request, 2);
  if (by === LOWEST) refuse("ERR decrement would overflow");
  increment(call, -by);
}

function incrbyfloat(call: CommandCall): void {
  const { client, request } = call;
  const by = request.text(2);
  if (by.length > 255 || !isNumberText(by)) refuse("ERR value is not a valid float");
  call.propose({ type: "increment-float", cache: client.cache, key: keyArgument(request, 1), by }, asText);
}

export const COUNTER_COMMANDS = defineCommands("string", [
  { name: "incr", kind: "write", arity: 2, run: (call) => increment(call, 1n), keys: KEY, summary: "Adds one" },
  { name: "decr", kind: "write", arity: 2, run: (call) => increment(call, -1n), keys: KEY, summary: "Subtracts one" },
  {
    name: "incrby",
    kind: "write",
    arity: 3,
    run: (call) => increment(call, integerArgument(call.request, 2)),
    keys: KEY,
    summary: "Adds a whole number",
  },
  { name: "decrby", kind: "write", arity: 3, run: decrby, keys: KEY, summary: "Subtracts a whole number" },
  { name: "incrbyfloat", kind: "write", arity: 3, run: incrbyfloat, keys: KEY, summary: "Adds a fraction" },
]);
