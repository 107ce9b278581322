// A stream as a flow: from its publisher through home and relays to the nodes with viewers.
import type { StreamRow } from "@sluice/client/admin-contract";
import { protocolName } from "../format/codecs.ts";
import { formatBitrate, formatCount } from "../format/numbers.ts";
import { formatMillis } from "../format/times.ts";
import { Icon } from "../ui/icon.tsx";
import { type FlowNode, flowOf } from "./flow-tree.ts";

export function StreamFlow({ row }: { readonly row: StreamRow }) {
  const roots = flowOf(row);
  return (
    <section class="panel section flow-panel" aria-labelledby="flow-title">
      <h2 id="flow-title">
        Flow <span class="page-count">{roots.length === 0 ? "" : `${formatCount(row.viewers.all)} watching`}</span>
      </h2>
      <div class="flow">
        {row.publisher !== null && (
          <span class="flow-source">
            <Icon name="publish" size={16} />
            <span>{protocolName(row.publisher.protocol)}</span>
            <span class="faint">{row.publisher.address || row.publisher.agent}</span>
          </span>
        )}
        <ul class="flow-roots">
          {roots.map((node) => (
            <FlowBranch key={node.copy.node} node={node} />
          ))}
        </ul>
      </div>
    </section>
  );
}

function FlowBranch({ node }: { readonly node: FlowNode }) {
  const { next, rest } = node;
  return (
    <li class="flow-branch">
      <FlowBox node={node} />
      {(next.length > 0 || rest.nodes > 0) && (
        <ul class="flow-next">
          {next.map((one) => (
            <FlowBranch key={one.copy.node} node={one} />
          ))}
          {rest.nodes > 0 && (
            <li class="flow-branch">
              <span class="flow-node is-rest">
                {rest.nodes} more nodes, {formatCount(rest.viewers)} watching
              </span>
            </li>
          )}
        </ul>
      )}
    </li>
  );
}

function FlowBox({ node: { copy, isHome } }: { readonly node: FlowNode }) {
  const { node, role, viewers, bitrate, delayMs, drops, path } = copy;
  const dropped = drops === null ? 0 : drops.video + drops.audio + drops.data;
  const words = [WORDS[role], isHome && role !== "home" ? "home" : ""].filter((word) => word !== "").join(", ");
  return (
    <span class={`flow-node is-${role}${isHome ? " is-home" : ""}`} data-flow={node} title={path.join(" ← ")}>
      <span class="flow-role">{path.length === 0 ? "waits" : words}</span>
      <span class="flow-name">{node}</span>
      <span class="flow-facts">
        <span class="flow-viewers">
          <Icon name="viewers" size={14} />
          {viewers === null ? "?" : formatCount(viewers)}
        </span>
        <span>{bitrate === null ? "no answer" : formatBitrate(bitrate)}</span>
        {delayMs !== null && <span title="Age of a frame when it arrives">{formatMillis(delayMs)}</span>}
        {dropped > 0 && <span class="flow-drops">{formatCount(dropped)} dropped</span>}
      </span>
    </span>
  );
}

const WORDS = { publisher: "publisher’s node", home: "home", relay: "relay", edge: "edge" } as const;
