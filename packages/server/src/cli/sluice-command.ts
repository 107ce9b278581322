/** A command that says what was probably meant by a word it does not know. */
import { Command, type ErrorOptions, type HelpContext } from "commander";
import { findNearest } from "../config/suggest.ts";
import { UsageError } from "@sluice/runtime/process/usage-error";

/** Exit code for what the user wrote. */
const MISUSE = 2;

export class SluiceCommand extends Command {
  override createCommand(name?: string): SluiceCommand {
    return new SluiceCommand(name);
  }

  override error(message: string, options?: ErrorOptions): never {
    const said = this.#unknown(message, options?.code);
    if (said !== undefined) throw new UsageError(said);
    this.showHelpAfterError(helpOf(this));
    return super.error(message, { exitCode: MISUSE, ...options });
  }

  /** Commander shows the whole help where `help` names no command. */
  override help(context?: unknown): never {
    const [name, word] = this.args;
    const isUnknown = (context as HelpContext | undefined)?.error === true && name === "help";
    const said = isUnknown ? unknown("command", word, namesOf(this), this) : undefined;
    if (said !== undefined) throw new UsageError(said);
    return super.help(context as HelpContext);
  }

  #unknown(message: string, code: string | undefined): string | undefined {
    switch (code) {
      case "commander.unknownCommand":
        return unknown("command", this.args[0], namesOf(this), this);
      case "commander.excessArguments":
        return this.#unknownOperand();
      case "commander.unknownOption":
        return this.#unknownOption(/'(.*?)'/.exec(message)?.[1] ?? "");
      default:
        return undefined;
    }
  }

  /** A command without arguments was given one: it is a wrong command of its own, or of its parent's if that chose it by default. */
  #unknownOperand(): string | undefined {
    if (this.registeredArguments.length > 0) return undefined;
    if (this.commands.length > 0) return unknown("command", this.args[0], namesOf(this), this);
    const { parent } = this;
    const isNamed = parent === null || parent.args[0] === this.name();
    return isNamed ? undefined : unknown("command", this.args[0], namesOf(parent), parent);
  }

  #unknownOption(word: string): string | undefined {
    const { parent } = this;
    const isChosenByDefault = parent !== null && parent.args[0] !== this.name();
    const options = [this, ...(isChosenByDefault ? [parent] : [])].flatMap((command) =>
      command.createHelp().visibleOptions(command),
    );
    const letter = /^-(\w)$/.exec(word)?.[1]?.toLowerCase();
    const meant = options.find(
      ({ short, long }) => letter !== undefined && (short ?? long)?.replace(/^-+/, "")[0]?.toLowerCase() === letter,
    );
    const names = options.flatMap(({ long }) => (typeof long === "string" ? [long] : []));
    return unknown("option", word, names, this, meant?.long ?? undefined);
  }
}

function namesOf(command: Command): string[] {
  return command.commands.map((one) => one.name());
}

function helpOf(command: Command): string {
  const names: string[] = [];
  for (let one: Command | null = command; one !== null; one = one.parent) names.unshift(one.name());
  return `(${names.join(" ")} --help lists the ${command.commands.length > 0 ? "commands and options" : "options"})`;
}

function unknown(
  what: "command" | "option",
  word: string | undefined,
  known: readonly string[],
  of: Command,
  nearest = word && findNearest(word, known),
): string | undefined {
  if (word === undefined) return undefined;
  const hint = nearest === undefined ? `It is none of ${known.join(", ")}` : `Did you mean ${nearest}?`;
  return `Unknown ${what} ${word.replaceAll(/\p{Cc}/gu, "")}. ${hint}\n${helpOf(of)}`;
}
