/** The `sluice.v1` sessions of the node, and where they are sent when it stops. */
import type { Scope } from "@sluice/base/scope";
import { urlPathOf } from "@sluice/media/stream-key";
import type { NodeRow } from "@sluice/mesh/membership/membership-view";
import { FlushRound } from "../ws/flush-round.ts";
import { DELIVERY_FRAME_BYTES, DeliveryFrames } from "../ws/frames.ts";
import type { NetClient } from "../ws/net-client.ts";
import { NetCounts } from "../ws/net-counts.ts";
import { SluiceSessions } from "../ws/sluice-sessions.ts";
import type { ClusterPart } from "./cluster-part.ts";
import type { NodePart } from "./node-part.ts";

export function openSluice({
  node,
  cluster,
  scope,
}: {
  readonly node: NodePart;
  readonly cluster: ClusterPart | undefined;
  readonly scope: Scope;
}): SluiceSessions {
  const { config, ports, clock } = node;
  return new SluiceSessions({
    ports,
    node: config.node.id,
    objects: ports.objects,
    frames: new DeliveryFrames(DELIVERY_FRAME_BYTES),
    round: scope.use(new FlushRound(clock)),
    counts: new NetCounts(node.meter),
    get pingInterval() {
      return config.rtmp.pingInterval;
    },
    elsewhere: (client) => urlElsewhere(client, cluster?.cluster.membership.rows ?? [], config.node.id),
  });
}

/** At another node that is ready; any of them, so that not all clients go to the same. */
function urlElsewhere(client: NetClient, rows: readonly NodeRow[], self: string): string | undefined {
  const others = rows.filter(({ record, standing }) => record.id !== self && standing === "ready");
  const urls = others.flatMap(({ record }) => urlsAt(record.addresses, client));
  return urls[Math.floor(Math.random() * urls.length)];
}

/** Without the client's parameters, which it knows itself. */
function urlsAt({ ws, http, https }: Readonly<Record<string, string>>, { base, isSecure }: NetClient): string[] {
  const host = isSecure ? https : (ws ?? http);
  return host === undefined ? [] : [`${isSecure ? "wss" : "ws"}://${host}/${urlPathOf(base)}`];
}
