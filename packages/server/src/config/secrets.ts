/** The contents of the files that the configuration names: keys, certificates, secrets. */
import type { Problem } from "./config-error.ts";
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
  /** PEM. */
  readonly tlsCert: string | undefined;
  /** PEM. */
  readonly tlsKey: string | undefined;
}

/** Reads what the values name; what cannot be read or used becomes a problem. */
export function readSecrets(values: Values, readFile: (path: string) => string, problems: Problem[]): Secrets {
  const file = (path: string, named: string | undefined): string | undefined => {
    if (named === undefined) return undefined;
    try {
      return readFile(named);
    } catch (error) {
      problems.push({ path, where: named, message: `cannot be read: ${(error as Error).message}` });
      return undefined;
    }
  };
  const secret = (path: string, direct: string | undefined, named: string | undefined): string | undefined => {
    if (direct !== undefined && named !== undefined)
      problems.push({ path, where: "", message: "is given both directly and as a file; keep one" });
    if (direct !== undefined || named === undefined) return direct;
    const text = file(`${path}File`, named)?.trim();
    if (text !== undefined && text.length < 16)
      problems.push({ path: `${path}File`, where: named, message: "must hold at least 16 characters" });
    return text;
  };
  return {
    adminToken: secret("admin.token", values.admin.token, values.admin.tokenFile),
    jwtSecret: secret("auth.jwt.secret", values.auth.jwt.secret, values.auth.jwt.secretFile),
    jwtPublicKey: pem(
      "auth.jwt.publicKeyFile",
      file("auth.jwt.publicKeyFile", values.auth.jwt.publicKeyFile),
      problems,
    ),
    jwtKeySet: keySet(file("auth.jwt.jwksFile", values.auth.jwt.jwksFile), problems),
    signedSecret: secret("auth.signed.secret", values.auth.signed.secret, values.auth.signed.secretFile),
    hooksToken: values.auth.hooks.token,
    tlsCert: pem("tls.cert", file("tls.cert", values.tls.cert), problems),
    tlsKey: pem("tls.key", file("tls.key", values.tls.key), problems),
  };
}

function pem(path: string, text: string | undefined, problems: Problem[]): string | undefined {
  if (text !== undefined && !text.includes("-----BEGIN "))
    problems.push({ path, where: "", message: "is not a PEM file: no BEGIN line" });
  return text;
}

function keySet(text: string | undefined, problems: Problem[]): Secrets["jwtKeySet"] {
  if (text === undefined) return undefined;
  try {
    const set = JSON.parse(text) as { keys?: unknown };
    if (Array.isArray(set.keys) && set.keys.length > 0) return set as NonNullable<Secrets["jwtKeySet"]>;
  } catch {
    // said below: not JSON and not a key set are the same mistake
  }
  problems.push({ path: "auth.jwt.jwksFile", where: "", message: 'must hold JSON with at least one key under "keys"' });
  return undefined;
}
