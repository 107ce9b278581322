/** A command that says what was probably meant by a word it does not know. */
import { Command, type ErrorOptions } from "commander";
import { findNearest } from "../config/suggest.ts";
import { UsageError } from "@sluice/runtime/process/usage-error";

const HELP = "(sluice --help lists the commands)";
/** Exit code for what the user wrote. */
const MISUSE = 2;

export class SluiceCommand extends Command {
  override createCommand(name?: string): SluiceCommand {
    return new SluiceCommand(name);
  }

  override error(message: string, options?: ErrorOptions): never {
    const said = this.#unknown(message, options?.code);
    if (said === undefined) return super.error(message, { exitCode: MISUSE, ...options });
    throw new UsageError(`${said}\n${HELP}`);
  }

  #unknown(message: string, code: string | undefined): string | undefined {
    switch (code) {
      case "commander.unknownCommand":
        return unknown("command", this.args[0], namesOf(this));
      case "commander.excessArguments":
        return this.#unknownOperand();
      case "commander.unknownOption":
        return unknown("option", /'(.*?)'/.exec(message)?.[1], this.#options());
      default:
        return undefined;
    }
  }

  /** A command without arguments was given one: it is a wrong command of its own, or of its parent's if that chose it by default. */
  #unknownOperand(): string | undefined {
    if (this.registeredArguments.length > 0) return undefined;
    if (this.commands.length > 0) return unknown("command", this.args[0], namesOf(this));
    const { parent } = this;
    const isNamed = parent === null || parent.args[0] === this.name();
    return isNamed ? undefined : unknown("command", this.args[0], namesOf(parent));
  }

  #options(): string[] {
    return this.options.flatMap(({ long }) => (typeof long === "string" ? [long] : []));
  }
}

function namesOf(command: Command): string[] {
  return command.commands.map((one) => one.name());
}

function unknown(what: "command" | "option", word: string | undefined, known: readonly string[]): string | undefined {
  if (word === undefined) return undefined;
  const nearest = findNearest(word, known);
  const hint = nearest === undefined ? `It is none of ${known.join(", ")}` : `Did you mean ${nearest}?`;
  return `Unknown ${what} ${word.replaceAll(/\p{Cc}/gu, "")}. ${hint}`;
}
