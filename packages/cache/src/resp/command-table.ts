/** All commands by name. */
import { OperationEncoder } from "../state/operation-encoder.ts";
import { CLIENT_COMMANDS } from "./commands/clients.ts";
import { CONNECTION_COMMANDS } from "./commands/connection.ts";
import { COUNTER_COMMANDS } from "./commands/counters.ts";
import { EXPIRY_COMMANDS } from "./commands/expiry.ts";
import { INFO_COMMANDS } from "./commands/info.ts";
import { KEY_SEARCH_COMMANDS } from "./commands/key-search.ts";
import { KEY_COMMANDS } from "./commands/keys.ts";
import { PUBSUB_COMMANDS } from "./commands/pubsub.ts";
import { ROLE_COMMANDS } from "./commands/role.ts";
import { SENTINEL_COMMANDS } from "./commands/sentinel.ts";
import { serverCommands } from "./commands/server.ts";
import { STRING_COMMANDS } from "./commands/strings.ts";
import { TRANSACTION_COMMANDS } from "./commands/transactions.ts";
import { type Command, type CommandCall, defineCommands } from "./command.ts";
import { EXEC_ABORTED, refuse } from "./errors.ts";
import type { RespRequest } from "./request.ts";

/** Commands with subcommands, chosen by the second word. COMMAND alone is a command as well. */
const CONTAINERS = new Set(["client", "config", "sentinel", "command", "object"]);
/** Separates a container and its subcommand; appears in no name sent by clients. */
const PART = "|";
/** Bytes of an unknown command's arguments quoted in the error. */
const TOLD_BYTES = 128;

export class CommandTable {
  readonly #commands = new Map<string, Command>();
  /** Pipelines mostly repeat one command: comparing its name costs less than a lookup. */
  #last: Command | undefined;
  /** Shared by all sessions that use this table. */
  readonly encoder = new OperationEncoder();

  /** @param extra  commands of the embedding program; they replace ours of the same name */
  constructor(extra: readonly Command[] = []) {
    const commands = [
      ...STRING_COMMANDS,
      ...COUNTER_COMMANDS,
      ...KEY_COMMANDS,
      ...KEY_SEARCH_COMMANDS,
      ...EXPIRY_COMMANDS,
      ...CONNECTION_COMMANDS,
      ...CLIENT_COMMANDS,
      ...ROLE_COMMANDS,
      ...SENTINEL_COMMANDS,
      ...INFO_COMMANDS,
      ...TRANSACTION_COMMANDS,
      ...PUBSUB_COMMANDS,
      ...serverCommands(
        (name) => this.#commands.get(name),
        () => [...this.#commands.values()].filter(({ name }) => !name.includes(PART)),
      ),
      ...extra,
    ];
    for (const command of commands) this.#commands.set(command.name, command);
    for (const container of CONTAINERS) {
      const help = helpFor(container, () => this.#partsOf(container));
      this.#commands.set(help.name, help);
    }
  }

  /** @throws {CommandRefusal} for an unknown command, or a wrong number of arguments */
  get(request: RespRequest): Command {
    const command = this.#last !== undefined && request.isWord(0, this.#last.name) ? this.#last : this.#find(request);
    const { arity } = command;
    if (arity >= 0 ? request.count !== arity : request.count < -arity) {
      const error = `wrong number of arguments for '${command.name}' command`;
      refuse(command.name === "exec" ? `${EXEC_ABORTED}${error}` : `ERR ${error}`);
    }
    return command;
  }

  #partsOf(container: string): readonly Command[] {
    return [...this.#commands.values()].filter(({ name }) => name.startsWith(container + PART));
  }

  #find(request: RespRequest): Command {
    const name = request.word(0);
    if (CONTAINERS.has(name)) return this.#part(name, request);
    const command = name.includes(PART) ? undefined : this.#commands.get(name);
    if (command === undefined) refuse(unknownCommand(request));
    this.#last = command;
    return command;
  }

  #part(name: string, request: RespRequest): Command {
    if (request.count === 1) {
      return this.#commands.get(name) ?? refuse(`ERR wrong number of arguments for '${name}' command`);
    }
    const part = this.#commands.get(`${name}${PART}${request.word(1)}`);
    return part ?? refuse(`ERR unknown subcommand '${printed(request, 1)}'. Try ${name.toUpperCase()} HELP.`);
  }
}

/** `CLIENT HELP` and the like. */
function helpFor(container: string, parts: () => readonly Command[]): Command {
  const run = ({ reply }: CommandCall): void => {
    const title = `${container.toUpperCase()} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`;
    const lines = parts().flatMap(({ name, summary }) => [
      name.slice(container.length + PART.length).toUpperCase(),
      `    ${summary}.`,
    ]);
    reply.array(lines.length + 1);
    for (const line of [title, ...lines]) reply.simple(line);
  };
  const row = {
    name: `${container}${PART}help`,
    kind: "local",
    arity: 2,
    run,
    summary: "Tells its subcommands",
  } as const;
  return defineCommands("server", [row])[0] as Command;
}

function unknownCommand(request: RespRequest): string {
  let told = "";
  for (let i = 1; i < request.count && told.length < TOLD_BYTES; i++) {
    told += `'${printed(request, i).slice(0, TOLD_BYTES - told.length)}' `;
  }
  return `ERR unknown command '${printed(request, 0)}', with args beginning with: ${told}`;
}

/** Truncated at the first zero byte, as C prints it. */
function printed(request: RespRequest, index: number): string {
  const text = request.text(index).slice(0, TOLD_BYTES);
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}
