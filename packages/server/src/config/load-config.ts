/** Turns everything a user wrote into one frozen configuration, or into every reason why that cannot be. */
import { readFileSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, resolve } from "node:path";
import { findApplicationPath, findKey } from "./application-paths.ts";
import { ConfigError, type Problem } from "./config-error.ts";
import { crossChecks } from "./cross-checks.ts";
import { nest } from "./key.ts";
import {
  type ApplicationValues,
  environmentName,
  KEYS,
  ONE_APPLICATION,
  PER_APPLICATION,
  type Values,
} from "./keys.ts";
import { findVariablePath, isUsable } from "./recognise.ts";
import { changedFiles, readSecrets, type Secrets } from "./secrets.ts";
import { type Gathered, gatherEnvironment, gatherSets, gatherYaml, type SourceName, type Written } from "./sources.ts";

/** Where to look; everything left out is taken from the process. */
export interface ConfigSources {
  /** `--set`: texts such as `rtmp.port=0`, the last one of a key wins. */
  readonly sets?: readonly string[];
  /** `--config`: a path, or `none` to read no file; else `SLUICE_CONFIG`, else `sluice.yaml` where there is one. */
  readonly file?: string | undefined;
  /** `--instance`: moves every default port, 0 to 999; else `SLUICE_INSTANCE`. */
  readonly instance?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly hostname?: string;
  /** Throws like `readFileSync`, with `code` ENOENT where there is no file. */
  readonly readFile?: (path: string) => string;
}

/** One effective value and where it came from. */
export interface Entry {
  readonly path: string;
  readonly value: unknown;
  readonly source: SourceName;
  readonly where: string;
}

/** The whole configuration; frozen. Keys are read as `config.rtmp.port`. */
export type SluiceConfig = Values & {
  readonly secrets: Secrets;
  readonly instance: number;
  /** Some `cluster.*` key was written: the node is one of a cluster. */
  readonly isClustered: boolean;
  /** Every key with its source, defaults included, in the order of the documents. */
  readonly entries: readonly Entry[];
  /** Applications that have values of their own. */
  readonly applicationNames: readonly string[];
  /** @param app  first part of a StreamKey */
  forApplication(app: string): ApplicationConfig;
};

export type ApplicationConfig = ApplicationValues;

/** @throws {ConfigError} with all problems found */
export function loadConfig(sources: ConfigSources = {}): SluiceConfig {
  const problems: Problem[] = [];
  const read = readEntries(sources, problems);
  return assemble(read, problems);
}

/** What was written by now, and what of it cannot hold before a restart. */
export interface Reread {
  readonly config: SluiceConfig;
  /** Paths whose values differ from those that held. */
  readonly changed: readonly string[];
  /** Paths that were written anew and keep their values, as they cannot change while the node runs. */
  readonly kept: readonly string[];
}

/** Reads all sources again for a node that runs. @throws {ConfigError} with all problems found */
export function rereadConfig(sources: ConfigSources, holding: SluiceConfig): Reread {
  const problems: Problem[] = [];
  const read = readEntries({ readFile: readText, ...sources }, problems);
  if (problems.length === 0 && isFromFile(holding.entries) && !isFromFile(read.entries.values())) {
    const message = "has no key any more, as a file has that is being written: write one, or restart the node";
    problems.push({ path: "--config", where: sources.file ?? "sluice.yaml", message });
  }
  const held = new Map(holding.entries.map((entry) => [entry.path, entry]));
  const differing = differences(held, read.entries);
  // Without a cluster part there is nobody to whom a key of the cluster could matter before a restart.
  const canChange = (path: string): boolean =>
    isRunning(path) && (holding.isClustered || !path.startsWith(CLUSTER_PREFIX));
  const restored = differing.filter((path) => !canChange(path));
  for (const path of restored) {
    const entry = held.get(path);
    if (entry === undefined) read.entries.delete(path);
    else read.entries.set(path, entry);
  }
  const config = assemble(read, problems, holding.isClustered);
  const all = new Set([...differing, ...changedFiles(holding.secrets, config.secrets)]);
  return {
    config,
    changed: [...all].filter(canChange),
    kept: [...all].filter((path) => !canChange(path)),
  };
}

function isFromFile(entries: Iterable<Entry>): boolean {
  for (const { source } of entries) if (source === "file") return true;
  return false;
}

/** @throws {Error} of the system, or for anything but a file, which might keep the reader waiting */
function readText(path: string): string {
  if (!statSync(path).isFile()) throw new Error("it is no regular file");
  return readFileSync(path, "utf8");
}

interface ReadEntries {
  readonly entries: Map<string, Entry>;
  readonly instance: number;
  readonly readFile: (path: string) => string;
}

function readEntries(sources: ConfigSources, problems: Problem[]): ReadEntries {
  const from = withDefaults(sources);
  const instance = instanceOf(from, problems);
  const written = gather(from, problems).filter((one) => isUsable(one, problems));
  const entries = new Map<string, Entry>();
  const implied = isVoter(written) ? [VOTER_RTMP] : [];
  for (const one of [...defaults(instance, from), ...implied, ...written]) setEntry(entries, one, problems);
  return { entries, instance, readFile: from.readFile };
}

const CLUSTER_PREFIX = "cluster.";
const isOfCluster = ({ path, source }: Pick<Entry, "path" | "source">): boolean =>
  source !== "default" && path.startsWith(CLUSTER_PREFIX);

/** A node that only votes serves no clients. */
const VOTER_RTMP: Written = {
  path: "rtmp.port",
  raw: "off",
  source: "default",
  where: "default of a voter",
  base: "",
};

function isVoter(written: readonly Written[]): boolean {
  const roles = written.findLast(({ path }) => path === "node.roles");
  const reading = roles && findKey(roles.path)?.kind.read(roles.raw, roles.base);
  return reading !== undefined && "value" in reading && (reading.value as readonly string[]).includes("voter");
}

function differences(held: ReadonlyMap<string, Entry>, read: ReadonlyMap<string, Entry>): string[] {
  const paths = new Set([...held.keys(), ...read.keys()]);
  return [...paths].filter((path) => textAt(held, path) !== textAt(read, path));
}

function textAt(entries: ReadonlyMap<string, Entry>, path: string): string | undefined {
  const value = entries.get(path)?.value;
  return value === undefined ? undefined : findKey(path)?.kind.print(value);
}

const isRunning = (path: string): boolean => findKey(path)?.running === true;

type Complete = Required<Omit<ConfigSources, "file" | "instance">> & Pick<ConfigSources, "file" | "instance">;

function withDefaults(sources: ConfigSources): Complete {
  const env = sources.env ?? process.env;
  return {
    sets: sources.sets ?? [],
    file: sources.file ?? (env["SLUICE_CONFIG"] || undefined),
    instance: sources.instance ?? (env["SLUICE_INSTANCE"] || undefined),
    env,
    cwd: sources.cwd ?? process.cwd(),
    hostname: sources.hostname ?? hostname(),
    readFile: sources.readFile ?? ((path) => readFileSync(path, "utf8")),
  };
}

function instanceOf({ instance = "0", env }: Complete, problems: Problem[]): number {
  if (/^\d{1,3}$/.test(instance)) return Number(instance);
  const where = instance === env["SLUICE_INSTANCE"] ? "SLUICE_INSTANCE" : "";
  const said = instance.slice(0, 20).replaceAll(/\p{Cc}/gu, "");
  problems.push({ path: "--instance", where, message: `must be a whole number, 0 to 999, and not "${said}"` });
  return 0;
}

/** About starting, and no keys. */
const STARTING_VARIABLES = ["SLUICE_INSTANCE", "SLUICE_CONFIG"];

/** Weakest source first. */
function gather(from: Complete, problems: Problem[]): Written[] {
  const names = {
    pathOf: findVariablePath,
    known: () => [...STARTING_VARIABLES, ...[...KEYS.keys()].map(environmentName)],
  };
  const all = [gatherFile(from), gatherEnvironment(from.env, names, from.cwd), gatherSets(from.sets, from.cwd)];
  for (const gathered of all) problems.push(...gathered.problems);
  return all.flatMap((gathered) => gathered.written);
}

function gatherFile({ file, cwd, readFile }: Complete): Gathered {
  if (file === "none") return { written: [], problems: [] };
  const path = resolve(cwd, file ?? "sluice.yaml");
  try {
    return gatherYaml(readFile(path), { where: file ?? "sluice.yaml", base: dirname(path) });
  } catch (error) {
    if (file === undefined && (error as NodeJS.ErrnoException).code === "ENOENT") return { written: [], problems: [] };
    return {
      written: [],
      problems: [{ path: "--config", where: path, message: `cannot be read: ${(error as Error).message}` }],
    };
  }
}

function defaults(instance: number, { hostname: host, cwd }: Complete): Written[] {
  const derived = new Map([["node.id", nodeId(host, instance)]]);
  if (instance > 0) derived.set("data.dir", `./data-${instance}`);
  return [...KEYS].map(([path, key]): Written => {
    const raw = derived.get(path) ?? (key.shifts ? String(Number(key.fallback) + instance) : key.fallback);
    return { path, raw, source: "default", where: "default", base: cwd };
  });
}

/** The host name, made fit to be an id, and stable over restarts. */
function nodeId(host: string, instance: number): string {
  const name = host.replaceAll(/[^A-Za-z0-9._-]/g, "-").slice(0, 60) || "node";
  return instance === 0 ? name : `${name}-${instance}`;
}

function setEntry(entries: Map<string, Entry>, { path, raw, source, where, base }: Written, problems: Problem[]): void {
  const kind = findKey(path)?.kind;
  if (kind === undefined) throw new TypeError(`Cannot set ${path}: no such key`);
  const reading = kind.read(raw, base);
  if ("problem" in reading) problems.push({ path, where, message: reading.problem });
  else entries.set(path, { path, value: reading.value, source, where });
}

/** @throws {ConfigError} with the problems found before, and those of the whole */
function assemble(
  { entries, instance, readFile }: ReadEntries,
  problems: Problem[],
  isClustered = [...entries.values()].some(isOfCluster),
): SluiceConfig {
  const own = new Map([...entries].filter(([path]) => KEYS.has(path)).map(([path, entry]) => [path, entry.value]));
  const values = nest(own) as Values;
  const applications = applicationsOf(entries);
  const secrets = readSecrets(values, readFile, problems);
  problems.push(...crossChecks({ values, secrets, applications, isClustered }));
  if (problems.length > 0) throw new ConfigError(problems);
  const everyOther = applications.get("") as ApplicationConfig;
  return Object.freeze({
    ...values,
    secrets: Object.freeze(secrets),
    instance,
    isClustered,
    entries: Object.freeze([...entries.values()]),
    applicationNames: Object.freeze([...applications.keys()].filter((name) => name !== "")),
    forApplication: (app: string) => applications.get(app) ?? everyOther,
  });
}

/** Application name → its values; the node's own under "". */
function applicationsOf(entries: ReadonlyMap<string, Entry>): Map<string, ApplicationConfig> {
  const base = new Map([...PER_APPLICATION].map((path) => [path, entries.get(path)?.value]));
  for (const [path, { kind, fallback }] of ONE_APPLICATION) {
    const reading = kind.read(fallback, "");
    if ("value" in reading) base.set(path, reading.value);
  }
  const tables = new Map([["", base]]);
  for (const { path, value } of entries.values()) {
    const found = findApplicationPath(path);
    if (found === undefined) continue;
    const table = tables.get(found.name) ?? new Map(base);
    tables.set(found.name, table.set(found.key, value));
  }
  return new Map([...tables].map(([name, table]) => [name, nest(table) as ApplicationConfig]));
}
