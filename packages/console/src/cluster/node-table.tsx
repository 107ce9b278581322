// All nodes as a table; on phones the style sheet lays each row out as a card.
import type { NodeRow } from "@sluice/client/admin-contract";
import { formatBitrate, formatCount, formatPercent } from "../format/numbers.ts";
import { formatDuration, formatMillis } from "../format/times.ts";
import type { ClusterView, RatedLink } from "../live/cluster-view.ts";
import { NodeBadge } from "./node-badge.tsx";

export interface NodeTableProps {
  readonly view: ClusterView;
  readonly chosenId: string;
  readonly onChoose: (id: string) => void;
}

const HEADS = ["Engine", "Roles", "Version"];
const NUMBERS = ["Heat", "Sessions", "Streams", "Round trip", "In / out", "Up"];

export function NodeTable({ view, chosenId, onChoose }: NodeTableProps) {
  return (
    <div class="panel table-panel">
      <table class="table node-table">
        <caption class="visually-hidden">All nodes</caption>
        <thead>
          <tr>
            <th scope="col">Node</th>
            {HEADS.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
            {NUMBERS.map((head) => (
              <th key={head} scope="col" class="number">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {view.nodes.map((row) => (
            <NodeLine
              key={row.id}
              row={row}
              link={view.links.find(({ peer }) => peer === row.id)}
              isChosen={row.id === chosenId}
              onChoose={onChoose}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface NodeLineProps {
  readonly row: NodeRow;
  readonly link: RatedLink | undefined;
  readonly isChosen: boolean;
  readonly onChoose: (id: string) => void;
}

const NONE = <span class="faint">–</span>;

function NodeLine({ row, link, isChosen, onChoose }: NodeLineProps) {
  const { id, heat, sessions, streams, engine, uptimeSeconds, differs } = row;
  return (
    <tr class={isChosen ? "is-chosen" : ""} data-row={id} onClick={() => onChoose(id)}>
      <th scope="row" class="cell-node">
        <button type="button" class="node-choice" aria-pressed={isChosen}>
          {id}
        </button>
        <NodeBadge state={row.state} />
        {row.self && <span class="faint">this node</span>}
      </th>
      <td data-label="Engine" class={engine === "leader" ? "is-leader" : ""}>
        {engine ?? NONE}
      </td>
      <td data-label="Roles">{row.roles.join(", ")}</td>
      <td data-label="Version" class={differs.length > 0 ? "differs" : ""} title={differsTitle(row)}>
        {row.version}
        {differs.includes("auth") && <span class="differs-note">other auth.*</span>}
      </td>
      <td data-label="Heat" class="number">
        {heat === null ? NONE : formatPercent(heat)}
      </td>
      <td data-label="Sessions" class="number">
        {sessions === null ? NONE : formatCount(sessions)}
      </td>
      <td data-label="Streams" class="number">
        {streams === null ? NONE : formatCount(streams)}
      </td>
      <td data-label="Round trip" class="number">
        {link?.rtt ? formatMillis(link.rtt) : NONE}
      </td>
      <td data-label="In / out" class="number">
        {link === undefined ? NONE : `${formatBitrate(link.inRate)} / ${formatBitrate(link.outRate)}`}
      </td>
      <td data-label="Up" class="number">
        {uptimeSeconds === null ? NONE : formatDuration(uptimeSeconds)}
      </td>
    </tr>
  );
}

function differsTitle({ differs }: NodeRow): string {
  return differs.length === 0 ? "" : `Not as on this node: ${differs.join(", ")}`;
}
