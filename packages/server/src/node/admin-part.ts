/** The admin side as a request listener: API, metrics, health and console. */
import { existsSync } from "node:fs";
import type { RequestListener } from "node:http";
import { fileURLToPath } from "node:url";
import type { Scope } from "@sluice/base/scope";
import { adminAccess } from "../admin/admin-access.ts";
import { adminListener, createAdminApp } from "../admin/admin-app.ts";
import type { ClusterPart } from "./cluster-part.ts";
import { adminCluster } from "./admin-cluster.ts";
import { demoBall } from "./demo-ball.ts";
import { DEFAULT_ADMIN_LIMITS } from "../admin/limits.ts";
import { expectedNodes } from "./expected-nodes.ts";
import { adminObjects } from "./admin-objects.ts";
import { findStreamKey } from "@sluice/media/stream-key";
import { VERSION } from "../version.ts";
import { isoTime } from "./rows.ts";
import type { NodePart } from "./node-part.ts";

const CONSOLE_DIR = fileURLToPath(new URL("../../../console/dist", import.meta.url));

export async function openAdmin({
  node,
  cluster,
  scope,
}: {
  readonly node: NodePart;
  readonly cluster: ClusterPart | undefined;
  readonly scope: Scope;
}): Promise<RequestListener> {
  const { config, log, clock, meter, view, patterns, previews } = node;
  if (cluster !== undefined) joinStreams(node, cluster);
  const app = createAdminApp({
    source: {
      view,
      patterns,
      streams: node.shownStreams,
      objects: adminObjects(node, cluster),
      demo: demoBall(node, cluster),
      cluster: adminCluster(node, cluster),
      openPreview(path) {
        const key = findStreamKey(path);
        if (key === undefined) return undefined;
        const { token, expires } = previews.issue(key);
        return { key, token, expires: isoTime(expires) };
      },
    },
    metrics: () => meter.page(),
    consoleDir: existsSync(CONSOLE_DIR) ? CONSOLE_DIR : undefined,
    access: adminAccess(() => config.secrets.adminToken),
    corsOrigins: [],
    version: VERSION,
    log,
    clock,
    meter,
  });
  scope.defer(() => app.close());
  return adminListener(app);
}

/** Other nodes are asked about their streams, and told about this one's, from now on. */
function joinStreams({ shownStreams, config }: NodePart, { calls, cluster }: ClusterPart): void {
  shownStreams.join({
    ids: () => expectedNodes(cluster, config.node.id),
    streams: (peer) => calls.streams(peer, DEFAULT_ADMIN_LIMITS.nodeStreams),
  });
  calls.serveStreams(shownStreams);
}
