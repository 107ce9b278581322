/** The commands of `sluice`, their options and their help. */
import type { Command } from "commander";
import { plainLines } from "@sluice/runtime/plain-text";
import { addCacheCommands } from "@sluice/gcache/cli/cache-commands";
import { checkConfig, printConfig } from "./config-commands.ts";
import { withConfigOptions } from "./config-options.ts";
import { flvDumpCommand } from "./flv-dump-command.ts";
import { sign } from "./sign.ts";
import { SluiceCommand } from "./sluice-command.ts";
import { drain, status } from "./status.ts";

export function buildProgram(version: string): Command {
  const program = new SluiceCommand("sluice")
    .description("Live-media server: RTMP in, RTMP, HTTP-FLV and WebSocket-FLV out")
    .version(version);
  // What stands after the name of a command is that command's: `cache --resp` and `cache status --resp` are two options.
  program.configureOutput({
    writeOut: (text) => process.stdout.write(plainLines(text)),
    writeErr: (text) => process.stderr.write(plainLines(text)),
  });
  program.enablePositionalOptions().showHelpAfterError("(sluice --help lists the commands)");
  // What serving stands on is loaded only to serve: the small commands answer at once.
  withConfigOptions(program.command("serve", { isDefault: true }).description("run the server (the default)")).action(
    async (options) => (await import("./serve.ts")).serve(options),
  );
  withConfigOptions(program.command("status").description("show the node on this machine and its streams")).action(
    status,
  );
  withConfigOptions(
    program.command("drain").description("let the node on this machine finish and take nothing new"),
  ).action(drain);
  addCacheCommands(program);
  addConfigCommands(program);
  addToolCommands(program);
  return program;
}

function addConfigCommands(program: Command): void {
  const config = program.command("config").description("look at the configuration");
  withConfigOptions(config.command("check").description("say whether it can be used, and every reason why not")).action(
    checkConfig,
  );
  withConfigOptions(
    config.command("print").description("print every key with its value and where that came from"),
  ).action(printConfig);
}

function addToolCommands(program: Command): void {
  withConfigOptions(program.command("sign").description("print a signed URL's path and query, for auth.signed"))
    .argument("<action>", "publish or play")
    .argument("<key>", "stream key, such as live/cam")
    .option("--expires <duration>", "how long it is good for", "1h")
    .action((action, key, options) => sign(action, key, options));
  program
    .command("flv-dump")
    .description("list the tags of an FLV file, or of standard input where FILE is -")
    .argument("<file>")
    .option("--json", "one JSON object a tag")
    .action(flvDumpCommand);
}
