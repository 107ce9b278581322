/** Options and help of `sluice cache` and its subcommands. */
import { type Command, Option } from "commander";
import { CACHE_DEFAULTS } from "./cache-options.ts";

export function addCacheCommands(program: Command): void {
  const cache = program
    .command("cache")
    .description("run a node of a replicated cache that speaks RESP; alone it is a cluster of one")
    .enablePositionalOptions()
    .option("--id <id>", "name of this member", CACHE_DEFAULTS.id)
    .option("--members <list>", `id=host:port of all founders, the same on each (default: id=${CACHE_DEFAULTS.member})`)
    .option("--join", "do not found a cluster: wait until `sluice cache add` adds this member to a cluster")
    .option("--resp <host:port>", "where clients connect, or off", CACHE_DEFAULTS.resp)
    .option("--dir <dir>", "folder of the log and the snapshots (default: data/cache/ID)")
    .option("--ack <level>", "when a write is answered: memory, replicas:N, quorum, quorum+fsync", CACHE_DEFAULTS.ack)
    .option("--secret-file <file>", "secret that members prove to each other; required with members on other machines")
    .option("--resp-password-file <file>", "password that clients must give (AUTH)")
    .option("--tls-cert <file>", "certificate for the connections between members")
    .option("--tls-key <file>", "its private key")
    .addOption(
      new Option("--log-format <format>", "form of the log").choices(["auto", "json", "pretty"]).default("auto"),
    )
    .addOption(
      new Option("--log-level <level>", "lowest level that is logged")
        .choices(["debug", "info", "warn", "error", "silent"])
        .default("info"),
    )
    .action(async (options) => (await import("./cache-serve.ts")).serveCache(options));
  cache.helpCommand("help [command]", "show what a command takes"); // a command with its own action gets no help command by default
  addAdminCommands(cache);
}

function addAdminCommands(cache: Command): void {
  withNode(cache.command("status").description("show the members of the cluster that a node belongs to"))
    .option("--json", "as one JSON object")
    .action(async (options) => (await import("./cache-admin.ts")).cacheStatus(options));
  withNode(cache.command("switch-over").description("let another member lead"))
    .argument("[member]", "id of the next leader (default: the most up-to-date voter)")
    .action(async (member, options) => (await import("./cache-admin.ts")).cacheSwitchOver(member, options));
  withNode(cache.command("add").description("add a member that was started with --join"))
    .argument("<member>", "id=host:port")
    .action(async (member, options) => (await import("./cache-admin.ts")).cacheAdd(member, options));
  withNode(cache.command("remove").description("remove a member for good"))
    .argument("<member>", "its id")
    .action(async (member, options) => (await import("./cache-admin.ts")).cacheRemove(member, options));
}

function withNode(command: Command): Command {
  return command
    .option("--resp <host:port>", "RESP port of any member", CACHE_DEFAULTS.resp)
    .option("--resp-password-file <file>", "password of its clients");
}
