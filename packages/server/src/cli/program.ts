/** The commands of `sluice`, their options and their help. */
import type { Command } from "commander";
import { plainLines } from "@sluice/runtime/plain-text";
import { addCacheCommands } from "@sluice/gcache/cli/cache-commands";
import { withConfigOptions } from "./config-options.ts";
import { SluiceCommand } from "./sluice-command.ts";

export function buildProgram(version: string): Command {
  const program = new SluiceCommand("sluice")
    .description("Live-media server: RTMP in, RTMP, HTTP-FLV and WebSocket-FLV out")
    .version(version);
  // What stands after the name of a command is that command's: `cache --resp` and `cache status --resp` are two options.
  program.configureOutput({
    writeOut: (text) => process.stdout.write(plainLines(text)),
    writeErr: (text) => process.stderr.write(plainLines(text)),
  });
  program.enablePositionalOptions();
  // Each command loads what it stands on when it is run: the cache loads nothing of media, and small commands answer at once.
  withConfigOptions(program.command("serve", { isDefault: true }).description("run the server (the default)")).action(
    async (options) => (await import("./serve.ts")).serve(options),
  );
  withConfigOptions(program.command("status").description("show the node on this machine and its streams")).action(
    async (options) => (await import("./status.ts")).status(options),
  );
  withConfigOptions(
    program
      .command("top")
      .description("follow the busiest streams and the links of the node on this machine; on a pipe, one snapshot"),
  ).action(async (options) => (await import("./top.ts")).top(options));
  withConfigOptions(
    program.command("drain").description("let the node on this machine finish and take nothing new"),
  ).action(async (options) => (await import("./status.ts")).drain(options));
  addClusterCommands(program);
  addCacheCommands(program);
  addConfigCommands(program);
  addToolCommands(program);
  return program;
}

function addClusterCommands(program: Command): void {
  const cluster = program
    .command("cluster")
    .description("look after the cluster that the node on this machine is one of");
  withConfigOptions(
    cluster
      .command("set-aside")
      .description("keep the store of a node that is stopped under another name, so that it can join another cluster"),
  ).action(async (options) => (await import("./cluster-commands.ts")).setAside(options));
  withConfigOptions(
    cluster.command("remove").description("remove a node that is gone for good from the members of the state engine"),
  )
    .argument("<id>", "id of the node")
    .action(async (id, options) => (await import("./cluster-commands.ts")).removeMember(id, options));
  withConfigOptions(
    cluster
      .command("replace")
      .description("let a node whose disk was lost take its former place, with the store that it has now"),
  )
    .argument("<id>", "id of the node")
    .action(async (id, options) => (await import("./cluster-commands.ts")).replaceMember(id, options));
}

function addConfigCommands(program: Command): void {
  const config = program.command("config").description("look at the configuration");
  withConfigOptions(config.command("check").description("say whether it can be used, and every reason why not")).action(
    async (options) => (await import("./config-commands.ts")).checkConfig(options),
  );
  withConfigOptions(
    config.command("print").description("print every key with its value and where that came from"),
  ).action(async (options) => (await import("./config-commands.ts")).printConfig(options));
}

function addToolCommands(program: Command): void {
  withConfigOptions(program.command("sign").description("print a signed URL's path and query, for auth.signed"))
    .argument("<action>", "publish or play")
    .argument("<key>", "stream key, such as live/cam")
    .option("--expires <duration>", "how long it is good for", "1h")
    .action(async (action, key, options) => (await import("./sign.ts")).sign(action, key, options));
  program
    .command("flv-dump")
    .description("list the tags of an FLV file, or of standard input where FILE is -")
    .argument("<file>")
    .option("--json", "one JSON object a tag")
    .action(async (file, { json }) => {
      const { flvDump } = await import("./flv-dump.ts");
      process.exitCode = await flvDump(json ? ["--json", file] : [file]);
    });
}
