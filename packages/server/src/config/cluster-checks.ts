/** What keys of the cluster must be together: proofs wherever a link leaves the machine, and roles that fit each other. */
import { formatAddress, isLoopback, splitAddress } from "@sluice/runtime/sockets/host-and-port";
import type { Problem } from "./config-error.ts";
import type { Values } from "./keys.ts";
import type { Secrets } from "./secrets.ts";

/** Answers every contradiction among the keys of a node that is one of a cluster. */
export function clusterProblems({
  values,
  secrets,
}: {
  readonly values: Values;
  readonly secrets: Secrets;
}): Problem[] {
  return [...proofProblems(values, secrets), ...tlsProblems(values), ...roleProblems(values)];
}

const problem = (path: string, message: string): Problem => ({ path, where: "", message });

const NEEDS_PROOF = "beyond this machine, which needs cluster.secret (or cluster.tls.ca)";

function proofProblems({ cluster, node }: Values, { clusterSecret, clusterSecretAlso }: Secrets): Problem[] {
  const hasSecret = (clusterSecret ?? cluster.secretFile) !== undefined;
  const problems: Problem[] = [];
  if (!hasSecret && (clusterSecretAlso ?? cluster.secretAlsoFile) !== undefined)
    problems.push(problem("cluster.secretAlso", "is of no use without cluster.secret"));
  if (hasSecret || cluster.tls.ca !== undefined) return problems;
  if (!isLoopback(cluster.host)) problems.push(problem("cluster.host", `is ${NEEDS_PROOF}`));
  for (const seed of cluster.seeds) {
    if (!isLoopback(seed.host)) problems.push(problem("cluster.seeds", `has ${formatAddress(seed)}, ${NEEDS_PROOF}`));
  }
  if (node.public.cluster !== undefined && !isLoopback(splitAddress(node.public.cluster).host))
    problems.push(problem("node.public.cluster", `is ${NEEDS_PROOF}`));
  return problems;
}

function tlsProblems({ cluster: { tls } }: Values): Problem[] {
  const problems: Problem[] = [];
  if (tls.cert !== undefined && tls.key === undefined)
    problems.push(problem("cluster.tls.key", "is missing: cluster.tls.cert is set, and both are needed"));
  if (tls.key !== undefined && tls.cert === undefined)
    problems.push(problem("cluster.tls.cert", "is missing: cluster.tls.key is set, and both are needed"));
  if (tls.ca !== undefined && tls.cert === undefined && tls.key === undefined)
    problems.push(problem("cluster.tls.ca", "needs cluster.tls.cert and cluster.tls.key of this node"));
  return problems;
}

function roleProblems({ node: { roles } }: Values): Problem[] {
  return roles.includes("voter") && roles.length > 1
    ? [
        problem(
          "node.roles",
          "has voter beside other roles; it stands alone, and cluster.voters chooses among the others",
        ),
      ]
    : [];
}
