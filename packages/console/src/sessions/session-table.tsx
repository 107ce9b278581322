// Sessions as a table; on phones the style sheet lays each row out as a card.
import type { RatedSession } from "../live/session-list.ts";
import { protocolName } from "../format/codecs.ts";
import { formatBitrate, formatBytes } from "../format/numbers.ts";
import { formatSince } from "../format/times.ts";
import { formatRoute } from "../routes.ts";
import { KickButton } from "./kick-button.tsx";

export interface SessionTableProps {
  readonly rows: readonly RatedSession[];
  /** Milliseconds since 1970 by the server's clock. */
  readonly now: number;
  readonly columns: "all" | "without-stream";
}

export function SessionTable({ rows, now, columns }: SessionTableProps) {
  const hasStream = columns === "all";
  return (
    <div class="panel table-panel">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Role</th>
            {hasStream && <th scope="col">Stream</th>}
            <th scope="col">Peer</th>
            <th scope="col">Protocol</th>
            <th scope="col" class="number">
              Connected
            </th>
            <th scope="col" class="number">
              Rate
            </th>
            <th scope="col" class="number">
              Total
            </th>
            <th scope="col">
              <span class="visually-hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <SessionLine key={row.id} row={row} now={now} hasStream={hasStream} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface SessionLineProps {
  readonly row: RatedSession;
  readonly now: number;
  readonly hasStream: boolean;
}

function SessionLine({ row, now, hasStream }: SessionLineProps) {
  const isPublisher = row.role === "publisher";
  return (
    <tr data-session={row.id}>
      <td data-label="Role" class="cell-role">
        <span class={`role role-${row.role}`}>{row.role}</span>
        <LagMark row={row} />
      </td>
      {hasStream && (
        <td data-label="Stream" class="cell-stream">
          {row.key ? (
            <a href={formatRoute({ at: "stream", key: row.key })}>{row.key}</a>
          ) : (
            <span class="faint">none</span>
          )}
        </td>
      )}
      <td data-label="Peer" class="cell-peer">
        <span class="mono">{row.address}</span>
        <span class="agent" title={row.agent}>
          {row.agent || "unknown program"}
        </span>
      </td>
      <td data-label="Protocol">{protocolName(row.protocol)}</td>
      <td data-label="Connected" class="number">
        {formatSince(row.since, now)}
      </td>
      <td data-label="Rate" class="number">
        {formatBitrate(isPublisher ? row.inRate : row.outRate)}
      </td>
      <td data-label="Total" class="number">
        {formatBytes(isPublisher ? row.bytesIn : row.bytesOut)}
      </td>
      <td class="cell-action">
        <KickButton row={row} />
      </td>
    </tr>
  );
}

function LagMark({ row }: { readonly row: RatedSession }) {
  if (!row.lagging && row.skips === 0) return null;
  const skips = `${row.skips} ${row.skips === 1 ? "skip" : "skips"}`;
  return (
    <span class={row.lagging ? "lag is-lagging" : "lag"} title="Moved to a later keyframe because it was too slow">
      {row.lagging ? `lagging, ${skips}` : skips}
    </span>
  );
}
