// Objects as a table; on phones the style sheet lays each row out as a card.
import type { ObjectRow } from "@sluice/client/admin-objects";
import { formatBytes, formatCount } from "../format/numbers.ts";
import { formatRoute } from "../routes.ts";
import { clientsByNode, durabilityName, rateText, writerName } from "./object-words.ts";

const NONE = <span class="faint">–</span>;

export function ObjectTable({ rows }: { readonly rows: readonly ObjectRow[] }) {
  return (
    <div class="panel table-panel">
      <table class="table object-table">
        <thead>
          <tr>
            <th scope="col">Path</th>
            <th scope="col">Home</th>
            <th scope="col">Standby</th>
            <th scope="col">Last writer</th>
            <th scope="col" class="number">
              Clients
            </th>
            <th scope="col" class="number">
              Rate
            </th>
            <th scope="col" class="number">
              Version
            </th>
            <th scope="col" class="number">
              Size
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <ObjectLine key={`${row.path} ${row.scope}`} row={row} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function ObjectLine({ row }: { readonly row: ObjectRow }) {
  return (
    <tr data-object={row.path}>
      <td data-label="Path" class="cell-stream">
        <a href={formatRoute({ at: "object", path: row.path })}>{row.path}</a>
        <span class="agent">{durabilityName(row)}</span>
      </td>
      <td data-label="Home">{row.home === null ? <span class="stale-mark">none</span> : row.home}</td>
      <td data-label="Standby">{row.standby ?? NONE}</td>
      <td data-label="Last writer">{writerName(row) || NONE}</td>
      <td data-label="Clients" class="number" title={clientsByNode(row)}>
        {formatCount(row.clients.all)}
      </td>
      <td data-label="Rate" class="number">
        {rateText(row.rate)}
      </td>
      <td data-label="Version" class="number" title={`Epoch ${row.epoch}`}>
        {formatCount(row.version)}
      </td>
      <td data-label="Size" class="number" title={`${row.properties} properties`}>
        {formatBytes(row.bytes)}
      </td>
    </tr>
  );
}
