// One node of the picture: a disc with a heat ring, its name and its most important fact; a button that opens the rest.
import { formatPercent } from "../format/numbers.ts";
import { Icon } from "../ui/icon.tsx";
import { STATE_MEANINGS } from "./cluster-words.ts";
import type { Spot } from "./node-spots.ts";
import type { DrawnNode } from "./picture.ts";

export interface MapNodeProps {
  readonly node: DrawnNode;
  readonly isChosen: boolean;
  readonly onChoose: (id: string) => void;
}

export function MapNode({ node, isChosen, onChoose }: MapNodeProps) {
  const { row, spot, tone, note, load } = node;
  return (
    <button
      type="button"
      class={`map-node tone-${tone} state-${row.state} label-${sideOf(spot)}${row.self ? " is-self" : ""}`}
      style={placeOf(spot)}
      aria-pressed={isChosen}
      aria-label={nameOf(node)}
      data-node={row.id}
      title={STATE_MEANINGS[row.state]}
      onClick={() => onChoose(row.id)}
    >
      <span class="map-disc">
        <HeatRing heat={row.heat} />
        {row.engine === "leader" ? <Icon name="leader" size={20} /> : <span class="map-core" />}
      </span>
      <span class="map-words">
        <NodeName id={row.id} />
        <span class="map-state">
          {note}
          {load !== "" && <span class="map-load">, {load}</span>}
        </span>
      </span>
    </button>
  );
}

/** Labels are outside of the ring, clear of links; on narrow screens `upper` is above and the others below. */
function sideOf({ x, y }: Spot): string {
  if (x === 0 && y === 0) return "below";
  if (Math.abs(y) > 0.6) return y < 0 ? "above" : "below";
  return `${x < 0 ? "left" : "right"}${y < -0.1 ? " is-upper" : ""}`;
}

/** Names of nodes differ at their end, so a long name is cut in the middle. */
function NodeName({ id }: { readonly id: string }) {
  const cut = Math.max(0, id.length - 4);
  return (
    <span class="map-name">
      <span class="map-name-head">{id.slice(0, cut)}</span>
      <span>{id.slice(cut)}</span>
    </span>
  );
}

function nameOf({ row, note, load }: DrawnNode): string {
  const heat = row.heat === null ? "" : `heat ${formatPercent(row.heat)}`;
  return [row.id, row.self ? "this node" : "", row.state, note === row.state ? "" : note, load, heat]
    .filter((part) => part !== "")
    .join(", ");
}

/** The coloured share of the ring is the heat. */
function HeatRing({ heat }: { readonly heat: number | null }) {
  const level = heat === null ? "none" : heat < 0.6 ? "low" : heat < 0.85 ? "high" : "full";
  return (
    <svg class={`heat heat-${level}`} viewBox="0 0 48 48" aria-hidden="true">
      <circle class="heat-track" cx="24" cy="24" r="21.5" />
      {heat !== null && (
        <circle class="heat-arc" cx="24" cy="24" r="21.5" pathLength={100} stroke-dasharray={`${heat * 100} 100`} />
      )}
    </svg>
  );
}

/** Through custom properties, which the content policy of the page allows. */
export function placeOf({ x, y }: Spot): Record<string, string> {
  return { "--x": String(x), "--y": String(y) };
}
