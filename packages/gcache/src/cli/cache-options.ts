/** The options of `sluice cache`, read and checked. */
import { readFileSync } from "node:fs";
import type { AckLevel } from "@sluice/cache/replica/replica-output";
import { formatAddress, type HostAndPort, parseAddress } from "@sluice/runtime/sockets/host-and-port";
import type { TlsPair } from "@sluice/runtime/sockets/tls-certificate";
import { tlsPairProblems } from "@sluice/runtime/sockets/tls-pair";
import { UsageError } from "@sluice/runtime/process/usage-error";

export interface CacheCliOptions {
  readonly id: string;
  readonly members?: string;
  readonly join?: boolean;
  readonly resp: string;
  readonly dir?: string;
  readonly ack: string;
  readonly secretFile?: string;
  readonly respPasswordFile?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly logFormat: string;
  readonly logLevel: string;
}

export const CACHE_DEFAULTS = { id: "n1", member: "127.0.0.1:7401", resp: "127.0.0.1:6401", ack: "quorum" } as const;

/** `n1=host:port,n2=host:port`. @throws {UsageError} */
export function parseMembers(text: string): ReadonlyMap<string, string> {
  const members = new Map<string, string>();
  for (const part of text.split(",")) {
    const match = /^\s*([^=\s]+)=(\S+)\s*$/.exec(part);
    if (match === null) throw new UsageError(`Cannot read --members: "${part}" is not id=host:port`);
    const [id, address] = [match[1] as string, match[2] as string];
    if (members.has(id)) throw new UsageError(`Cannot read --members: "${id}" is listed twice`);
    members.set(id, formatAddress(requireAddress("--members", address)));
  }
  return members;
}

/** @throws {UsageError} */
export function requireAddress(option: string, text: string): HostAndPort {
  const address = parseAddress(text);
  if (address === undefined) throw new UsageError(`Cannot read ${option}: "${text}" is not host:port`);
  return address;
}

/** @throws {UsageError} */
export function parseAck(text: string): AckLevel {
  const replicas = /^replicas:([1-8])$/.exec(text);
  if (replicas !== null) return { type: "replicas", count: Number(replicas[1]) };
  if (text === "memory" || text === "quorum" || text === "quorum+fsync") return { type: text };
  throw new UsageError(`Cannot read --ack: "${text}" is not one of memory, replicas:N (1 to 8), quorum, quorum+fsync`);
}

/** The text of a file without its final line end. @throws {UsageError} when it is empty or cannot be read */
export function readSecret(option: string, file: string): string {
  const secret = readOption(option, file).trim();
  if (secret === "") throw new UsageError(`Cannot use ${option}: "${file}" is empty`);
  return secret;
}

/** @throws {UsageError} */
export function readTls({ tlsCert, tlsKey }: CacheCliOptions): TlsPair | undefined {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) throw new UsageError("Give --tls-cert and --tls-key together");
  const [cert, key] = [readOption("--tls-cert", tlsCert), readOption("--tls-key", tlsKey)];
  const [problem] = tlsPairProblems(cert, key);
  if (problem !== undefined) throw new UsageError(`Cannot use --tls-${problem.part}: it ${problem.message}`);
  return { cert, key };
}

function readOption(option: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError(`Cannot read ${option}: ${(error as Error).message}`);
  }
}
