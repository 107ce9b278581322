/** Checks over several keys: keys that need, exclude or contradict each other. */
import type { Problem } from "./config-error.ts";
import type { ApplicationValues, Values } from "./keys.ts";
import { clusterProblems } from "./cluster-checks.ts";
import type { Secrets } from "./secrets.ts";

export interface Checked {
  readonly values: Values;
  readonly secrets: Secrets;
  /** Application name → its values; the node's own under "". */
  readonly applications: ReadonlyMap<string, ApplicationValues>;
  readonly isClustered: boolean;
}

/** All contradictions; empty for a consistent configuration. */
export function crossChecks(checked: Checked): Problem[] {
  return [
    ...tlsProblems(checked.values),
    ...portProblems(checked),
    ...wayInProblems(checked),
    ...hookProblems(checked),
    ...engineProblems(checked),
    ...(checked.isClustered ? clusterProblems(checked) : []),
  ];
}

const problem = (path: string, message: string): Problem => ({ path, where: "", message });

function tlsProblems({ tls, rtmps, https }: Values): Problem[] {
  const problems: Problem[] = [];
  if (tls.cert !== undefined && tls.key === undefined)
    problems.push(problem("tls.key", "is missing: tls.cert is set, and both are needed"));
  if (tls.key !== undefined && tls.cert === undefined)
    problems.push(problem("tls.cert", "is missing: tls.key is set, and both are needed"));
  if (tls.cert !== undefined || tls.key !== undefined) return problems;
  if (rtmps.port !== "off") problems.push(problem("rtmps.port", "needs tls.cert and tls.key"));
  if (https.port !== "off") problems.push(problem("https.port", "needs tls.cert and tls.key"));
  return problems;
}

function portProblems({ values, isClustered }: Checked): Problem[] {
  const seen = new Map<number, string>();
  const problems: Problem[] = [];
  const { rtmp, rtmps, http, https, cache } = values;
  const cluster = isClustered ? { cluster: values.cluster } : {};
  const listeners = { rtmp, rtmps, http, https, "cache.resp": cache.resp, ...cluster };
  for (const [name, { port }] of Object.entries(listeners)) {
    if (port === "off" || port === 0) continue;
    const other = seen.get(port);
    if (other !== undefined) problems.push(problem(`${name}.port`, `is ${port}, and so is ${other}.port`));
    seen.set(port, name);
  }
  const isVoter = isClustered && values.node.roles.includes("voter");
  if (!isVoter && (["rtmp", "rtmps", "http", "https"] as const).every((name) => values[name].port === "off")) {
    problems.push(problem("http.port", "is off like every other port: nobody could reach this node"));
  }
  return problems;
}

function engineProblems({ values: { engine, cache }, isClustered }: Checked): Problem[] {
  const problems: Problem[] = [];
  const isRemote = engine.kind === "nats" || engine.kind === "redis";
  if (isRemote && engine.url === undefined)
    problems.push(problem("engine.url", `is missing: engine.kind ${engine.kind} needs it`));
  if (!isRemote && engine.url !== undefined)
    problems.push(problem("engine.url", `has no use with engine.kind ${engine.kind}; only nats and redis need it`));
  if (isRemote && engine.url !== undefined && !SCHEMES[engine.kind].test(engine.url))
    problems.push(problem("engine.url", `is no URL for ${engine.kind}`));
  const isEmbedded = engine.kind === "gcache" || (engine.kind === "auto" && isClustered);
  if (cache.resp.port !== "off" && !isEmbedded) problems.push(problem("cache.resp.port", "needs engine.kind gcache"));
  return problems;
}

const SCHEMES = { nats: /^(nats|tls):/, redis: /^rediss?:/ } as const;

function wayInProblems({ values, secrets, applications }: Checked): Problem[] {
  const jwtKeys = secrets.jwtSecret ?? secrets.jwtPublicKey ?? secrets.jwtKeySet;
  const { jwt, signed, hooks } = values.auth;
  const hasJwt = (jwtKeys ?? jwt.secretFile ?? jwt.publicKeyFile ?? jwt.jwksFile) !== undefined;
  const hasSigned = (secrets.signedSecret ?? signed.secretFile) !== undefined;
  const problems: Problem[] = [];
  for (const [name, { auth }] of applications) {
    for (const action of ["publish", "play"] as const) {
      const path = `${name === "" ? "" : `applications.${name}.`}auth.${action}`;
      const ways = auth[action];
      if (ways.includes("open") && ways.length > 1)
        problems.push(problem(path, "lists `open` beside other ways, which would do nothing; keep one or the other"));
      if (ways.includes("jwt") && !hasJwt)
        problems.push(problem(path, "lists `jwt`, which needs auth.jwt.secret, secretFile, publicKeyFile or jwksFile"));
      if (ways.includes("signed") && !hasSigned)
        problems.push(problem(path, "lists `signed`, which needs auth.signed.secret or auth.signed.secretFile"));
      if (ways.includes("hook") && hooks[action] === undefined)
        problems.push(problem(path, `lists \`hook\`, which needs auth.hooks.${action}`));
    }
  }
  return problems;
}

/** A configured hook that no action uses would guard nothing. */
function hookProblems({ values, applications }: Checked): Problem[] {
  return (["publish", "play"] as const).flatMap((action) => {
    const asked = [...applications.values()].some(({ auth }) => auth[action].includes("hook"));
    return values.auth.hooks[action] === undefined || asked
      ? []
      : [problem(`auth.hooks.${action}`, `would never be asked: auth.${action} does not list \`hook\``)];
  });
}
