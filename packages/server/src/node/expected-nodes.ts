/** Who should answer a question to all nodes: whoever has not left and is not dead; the others are named as silent. */
import type { ClusterNode } from "../cluster/cluster-node.ts";

/** Ids, without that of this node. */
export function expectedNodes({ membership }: Pick<ClusterNode, "membership">, self: string): readonly string[] {
  return membership.rows.flatMap(({ standing, record: { id } }) =>
    id === self || standing === "left" || standing === "dead" ? [] : [id],
  );
}
