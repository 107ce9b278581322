/** The contents of the files that the configuration names: keys, certificates, secrets. */
import { isDeepStrictEqual } from "node:util";
import type { Problem } from "./config-error.ts";
import { keySetProblems, publicKeyProblems } from "./key-material.ts";
import { tlsPairProblems } from "@sluice/runtime/sockets/tls-pair";
import type { Values } from "./keys.ts";

/** Everything secret or read from a file, in one place; `undefined` where nothing was given. */
export interface Secrets {
  readonly adminToken: string | undefined;
  readonly jwtSecret: string | undefined;
  /** PEM. */
  readonly jwtPublicKey: string | undefined;
  /** JSON Web Key Set, as parsed. */
  readonly jwtKeySet: { readonly keys: readonly Record<string, unknown>[] } | undefined;
  readonly signedSecret: string | undefined;
  readonly hooksToken: string | undefined;
  readonly respPassword: string | undefined;
  readonly clusterSecret: string | undefined;
  readonly clusterSecretAlso: string | undefined;
  /** PEM. */
  readonly clusterCert: string | undefined;
  /** PEM. */
  readonly clusterKey: string | undefined;
  /** PEM. */
  readonly clusterCa: string | undefined;
  /** PEM. */
  readonly tlsCert: string | undefined;
  /** PEM. */
  readonly tlsKey: string | undefined;
}

/** Reads what the values name; what cannot be read or used becomes a problem. */
export function readSecrets(values: Values, readFile: (path: string) => string, problems: Problem[]): Secrets {
  const { jwt, signed, hooks } = values.auth;
  const { cluster } = values;
  const named = new NamedFiles(readFile, problems);
  const secrets = {
    adminToken: named.secret("admin.token", values.admin.token, values.admin.tokenFile),
    jwtSecret: named.secret("auth.jwt.secret", jwt.secret, jwt.secretFile),
    jwtPublicKey: named.text("auth.jwt.publicKeyFile", jwt.publicKeyFile),
    jwtKeySet: keySet(named.text("auth.jwt.jwksFile", jwt.jwksFile), problems),
    signedSecret: named.secret("auth.signed.secret", signed.secret, signed.secretFile),
    hooksToken: hooks.token,
    respPassword: named.secret("cache.resp.password", values.cache.resp.password, values.cache.resp.passwordFile),
    clusterSecret: named.secret("cluster.secret", cluster.secret, cluster.secretFile),
    clusterSecretAlso: named.secret("cluster.secretAlso", cluster.secretAlso, cluster.secretAlsoFile),
    clusterCert: named.text("cluster.tls.cert", cluster.tls.cert),
    clusterKey: named.text("cluster.tls.key", cluster.tls.key),
    clusterCa: named.text("cluster.tls.ca", cluster.tls.ca),
    tlsCert: named.text("tls.cert", values.tls.cert),
    tlsKey: named.text("tls.key", values.tls.key),
  };
  problems.push(...publicKeyProblems("auth.jwt.publicKeyFile", secrets.jwtPublicKey));
  const pairs = { tls: [secrets.tlsCert, secrets.tlsKey], "cluster.tls": [secrets.clusterCert, secrets.clusterKey] };
  for (const [path, [cert, key]] of Object.entries(pairs)) {
    for (const { part, message } of tlsPairProblems(cert, key))
      problems.push({ path: `${path}.${part}`, where: "", message });
  }
  return secrets;
}

/** The keys that name files whose contents differ. */
export function changedFiles(held: Secrets, read: Secrets): string[] {
  const fields = Object.keys(FILE_KEYS) as (keyof typeof FILE_KEYS)[];
  return fields.filter((field) => !isDeepStrictEqual(held[field], read[field])).map((field) => FILE_KEYS[field]);
}

const FILE_KEYS = {
  adminToken: "admin.tokenFile",
  jwtSecret: "auth.jwt.secretFile",
  jwtPublicKey: "auth.jwt.publicKeyFile",
  jwtKeySet: "auth.jwt.jwksFile",
  signedSecret: "auth.signed.secretFile",
  respPassword: "cache.resp.passwordFile",
  clusterSecret: "cluster.secretFile",
  clusterSecretAlso: "cluster.secretAlsoFile",
  clusterCert: "cluster.tls.cert",
  clusterKey: "cluster.tls.key",
  clusterCa: "cluster.tls.ca",
  tlsCert: "tls.cert",
  tlsKey: "tls.key",
} as const satisfies Partial<Record<keyof Secrets, string>>;

class NamedFiles {
  readonly #readFile: (path: string) => string;
  readonly #problems: Problem[];

  constructor(readFile: (path: string) => string, problems: Problem[]) {
    this.#readFile = readFile;
    this.#problems = problems;
  }

  /** @param key  the configuration key that names the file */
  text(key: string, file: string | undefined): string | undefined {
    if (file === undefined) return undefined;
    try {
      return this.#readFile(file);
    } catch (error) {
      this.#problems.push({ path: key, where: "", message: `cannot be read: ${(error as Error).message}` });
      return undefined;
    }
  }

  /** A secret given directly, or as a file without the line breaks around it. */
  secret(key: string, direct: string | undefined, file: string | undefined): string | undefined {
    if (direct !== undefined && file !== undefined) {
      this.#problems.push({ path: key, where: "", message: `is set, and so is ${key}File; keep one` });
    }
    if (direct !== undefined || file === undefined) return direct;
    const text = this.text(`${key}File`, file)?.trim();
    if (text !== undefined && text.length < 16) {
      this.#problems.push({ path: `${key}File`, where: "", message: "must hold at least 16 characters" });
    }
    return text;
  }
}

function keySet(text: string | undefined, problems: Problem[]): Secrets["jwtKeySet"] {
  if (text === undefined) return undefined;
  const path = "auth.jwt.jwksFile";
  try {
    const set = JSON.parse(text) as { keys?: unknown };
    if (Array.isArray(set.keys) && set.keys.length > 0) {
      problems.push(...keySetProblems(path, set.keys));
      return set as NonNullable<Secrets["jwtKeySet"]>;
    }
  } catch {
    // said below: not JSON and not a key set are the same mistake
  }
  problems.push({ path, where: "", message: 'must hold JSON with at least one key under "keys"' });
  return undefined;
}
