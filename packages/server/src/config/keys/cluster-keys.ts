/** Keys of the cluster: where other nodes come in, whom to dial, how nodes prove that they belong together, who votes, and how streams travel between them. */
import { type KeyTable, key, runningKey } from "../key.ts";
import { list } from "../kinds-lists.ts";
import { choice, FLAG, optional, PATH, PORT, text, wordOr } from "../kinds-plain.ts";
import { NODE_ID, SEED } from "../kinds-nodes.ts";

const SECRET = text({ accepts: "text of at least 16 characters", pattern: /^.{16,}$/s });

export const CLUSTER_KEYS = {
  "cluster.host": key(
    text({ accepts: "an IP address or a host name", pattern: /^[0-9A-Za-z.:_-]{1,255}$/ }),
    "127.0.0.1",
    "Address on which other nodes are accepted. Any `cluster.*` key makes this node one of a cluster; without any it shares nothing and opens no such port. Beyond this machine it needs `cluster.secret` or `cluster.tls.ca`.",
  ),
  "cluster.port": {
    ...key(
      wordOr("off", PORT),
      "7935",
      "Port for other nodes; `off` for a node that only dials, such as an edge behind NAT.",
    ),
    shifts: true,
  },
  "cluster.seeds": key(
    list(SEED),
    "",
    "Nodes to dial first; one that runs is enough, it tells of the others. Of a name that has several addresses all are dialled, and the name is looked up again. What follows `?` are properties of that node that applications see on this side only.",
  ),
  "cluster.secret": {
    ...runningKey(
      optional(SECRET),
      undefined,
      "What the nodes of a cluster prove to each other that they know; never sent. The same on every node.",
    ),
    secret: true,
  },
  "cluster.secretFile": runningKey(optional(PATH), undefined, "File that holds it; line breaks around it are dropped."),
  "cluster.secretAlso": {
    ...runningKey(
      optional(SECRET),
      undefined,
      "A second secret that is accepted and proved. To change the secret: give every node the new one here, then as `cluster.secret` with the old one here, then drop the old one.",
    ),
    secret: true,
  },
  "cluster.secretAlsoFile": runningKey(optional(PATH), undefined, "File that holds it, likewise."),
  "cluster.tls.cert": runningKey(
    optional(PATH),
    undefined,
    "PEM file with the certificate for links beyond this machine, and its chain. Without one the node makes one for itself: the proof of the secret is bound to the TLS connection, so nobody can stand between.",
  ),
  "cluster.tls.key": runningKey(optional(PATH), undefined, "PEM file with the private key of `cluster.tls.cert`."),
  "cluster.tls.ca": key(
    optional(PATH),
    undefined,
    "PEM file with the authorities of the cluster. With it both sides of every link must show a certificate of theirs, and a secret may be left out.",
  ),
  "cluster.voters": key(
    wordOr("auto", list(NODE_ID, 1)),
    "auto",
    "Which nodes hold and vote on the state: `auto` grows from one to three and five as nodes come, or the ids of those that shall.",
  ),
  "cluster.bootstrap": key(
    FLAG,
    "false",
    "Founds a new cluster though there are seeds. A node without seeds does so anyway.",
  ),
  "cluster.rejoin": key(
    choice("ask", "auto"),
    "ask",
    "What a node does that comes back under its id with an empty disk: `ask` stops and says which command lets it in again, `auto` replaces its former self by itself.",
  ),
  "relay.from": runningKey(
    list(NODE_ID),
    "",
    "Ids of nodes that this one asks for a stream before its home, the first first: an edge that takes from an edge near it. Where none of them has it or can get it, the home is asked.",
  ),
} as const satisfies KeyTable;
