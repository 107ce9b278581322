/** What the page of the ball is told: the node, the ball's home, and how to come by a second node. */
import { objectPolicyOf } from "../objects/node-objects.ts";
import { BALL, type BallAbout } from "@sluice/client/contract/ball";
import type { StreamKey } from "@sluice/media/stream-key";
import { isLoopback, splitAddress } from "@sluice/runtime/sockets/host-and-port";
import type { DemoSource } from "../admin/demo-routes.ts";
import type { ClusterPart } from "./cluster-part.ts";
import type { NodePart } from "./node-part.ts";

const PATH = BALL.path as StreamKey;

export function demoBall(node: NodePart, part: ClusterPart | undefined): DemoSource {
  const { config } = node;
  const { objects } = node.objects;
  return {
    get isOpen() {
      return objectPolicyOf(config.forApplication(BALL.app)).objects === "on";
    },
    aboutBall(isKnown) {
      const object = objects.find(PATH);
      return {
        node: config.node.id,
        home: object?.isHome === true ? config.node.id : (objects.findHome(PATH) ?? null),
        standby: object?.standby ?? null,
        others: isKnown && part !== undefined ? othersOf(part, config.node.id) : [],
        commands: isKnown ? commandsOf(node, part) : null,
      };
    },
  };
}

function othersOf({ cluster }: ClusterPart, self: string): BallAbout["others"] {
  return cluster.membership.rows.flatMap(({ standing, record: { id, addresses } }) => {
    const address = addresses["http"];
    return standing === "ready" && id !== self && address !== undefined ? [{ id, address }] : [];
  });
}

/** A second node on this machine: `--instance 1` moves its ports, its data and its id. */
function commandsOf({ config }: NodePart, part: ClusterPart | undefined): NonNullable<BallAbout["commands"]> {
  if (part === undefined) {
    const port = 7_935;
    return [
      { label: "Start this node with", line: `./sluice --set cluster.port=${port}` },
      { label: "and another with", line: `./sluice --instance 1 --set cluster.seeds=127.0.0.1:${port}` },
    ];
  }
  const address = part.cluster.advertised;
  if (address === undefined) return [];
  const isNear = isLoopback(splitAddress(address).host);
  const secret = config.secrets.clusterSecret !== undefined || !isNear ? " --set cluster.secretFile=FILE" : "";
  return [{ label: "Start one more node with", line: `./sluice --instance 1 --set cluster.seeds=${address}${secret}` }];
}
