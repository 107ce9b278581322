/** `sluice cache` and what is below it: options and help. */
import { type Command, Option } from "commander";
import { CACHE_DEFAULTS } from "./cache-options.ts";

export function addCacheCommands(program: Command): void {
  const cache = program
    .command("cache")
    .description("run a node of a replicated cache that speaks RESP; alone it is a cluster of one")
    .enablePositionalOptions()
    .option("--id <id>", "name of this member", CACHE_DEFAULTS.id)
    .option("--members <list>", `id=host:port of all founders, the same on each (default: id=${CACHE_DEFAULTS.member})`)
    .option("--join", "found nothing: wait until `sluice cache add` adds this member to a cluster")
    .option("--resp <host:port>", "where clients connect; off for nowhere", CACHE_DEFAULTS.resp)
    .option("--dir <dir>", "folder of the log and the snapshots (default: data/cache/ID)")
    .option("--ack <level>", "when a write is answered: memory, replicas:N, quorum, quorum+fsync", CACHE_DEFAULTS.ack)
    .option("--secret-file <file>", "secret that members prove to each other; needed beyond this machine")
    .option("--resp-password-file <file>", "password that clients must give (AUTH)")
    .option("--tls-cert <file>", "certificate for the connections between members")
    .option("--tls-key <file>", "its private key")
    .addOption(
      new Option("--log-format <format>", "form of the log").choices(["auto", "json", "pretty"]).default("auto"),
    )
    .addOption(
      new Option("--log-level <level>", "least important lines that are logged")
        .choices(["debug", "info", "warn", "error", "silent"])
        .default("info"),
    )
    .action(async (options) => (await import("./cache-serve.ts")).serveCache(options));
  cache.helpCommand("help [command]", "show what a command takes"); // one with an action of its own gets none by itself
  addAdminCommands(cache);
}

function addAdminCommands(cache: Command): void {
  withNode(cache.command("status").description("show the members of the cluster that a node belongs to"))
    .option("--json", "as one JSON object")
    .action(async (options) => (await import("./cache-admin.ts")).cacheStatus(options));
  withNode(cache.command("switch-over").description("let another member lead"))
    .argument("[member]", "id of the next leader; left out, the one that holds most")
    .action(async (member, options) => (await import("./cache-admin.ts")).cacheSwitchOver(member, options));
  withNode(cache.command("add").description("add a member; it is running with --join already"))
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
