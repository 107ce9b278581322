// The picture: the answering node in the middle, its links as lines, the other nodes around. The style sheet sets its size.
import type { NodeRow } from "@sluice/client/admin-contract";
import { formatBitrate } from "../format/numbers.ts";
import { formatMillis } from "../format/times.ts";
import { MapNode, placeOf } from "./map-node.tsx";
import type { DrawnLink, Picture } from "./picture.ts";

export interface ClusterMapProps {
  readonly picture: Picture;
  readonly chosenId: string;
  readonly onChoose: (id: string) => void;
}

export function ClusterMap({ picture, chosenId, onChoose }: ClusterMapProps) {
  const { size, nodes, links, hiddenCount } = picture;
  return (
    <div class={`panel map map-${size}`} role="group" aria-label="Nodes and links">
      <svg class="map-lines" viewBox="-1 -1 2 2" preserveAspectRatio="none" aria-hidden="true">
        {links.map(({ peer, spot, link, pace }) => (
          <line
            key={peer}
            class={link === undefined ? "map-line is-missing" : `map-line pace-${pace}`}
            x2={spot.x}
            y2={spot.y}
          />
        ))}
      </svg>
      {links.map((drawn) => (
        <Flow key={drawn.peer} drawn={drawn} />
      ))}
      {size !== "crowd" && links.map((drawn) => <LinkLabel key={drawn.peer} drawn={drawn} />)}
      {nodes.map((node) => (
        <MapNode key={node.row.id} node={node} isChosen={node.row.id === chosenId} onChoose={onChoose} />
      ))}
      <p class="map-note">
        {hiddenCount > 0 && `${hiddenCount} more in the list. `}
        {nodes.length === 1 ? <Invitation to={nodes[0]?.row} /> : "The links of this node"}
      </p>
    </div>
  );
}

/** One dot per direction while there is traffic: animated by the compositor alone, and off with reduced motion. */
function Flow({ drawn: { spot, link, pace } }: { readonly drawn: DrawnLink }) {
  if (link === undefined || pace === "still") return null;
  return (
    <>
      {link.outRate > 0 && <span class={`map-dot dot-out pace-${pace}`} style={placeOf(spot)} />}
      {link.inRate > 0 && <span class={`map-dot dot-in pace-${pace}`} style={placeOf(spot)} />}
    </>
  );
}

function LinkLabel({ drawn: { spot, link } }: { readonly drawn: DrawnLink }) {
  const rtt = link === undefined ? "no link" : link.rtt === null ? "…" : formatMillis(link.rtt);
  return (
    <span class={link === undefined ? "map-label is-missing" : "map-label"} style={placeOf(spot)} aria-hidden="true">
      <span>{rtt}</span>
      {link !== undefined && <span class="map-rate">{formatBitrate(link.inRate + link.outRate)}</span>}
    </span>
  );
}

function Invitation({ to }: { readonly to: NodeRow | undefined }) {
  const address = to?.addresses["cluster"];
  if (address === undefined) return "No other node yet";
  return (
    <>
      No other node yet: start one with <span class="mono">cluster.seeds={address}</span>
    </>
  );
}
