// The selected node's row in full, with advice.
import type { NodeRow } from "@sluice/client/admin-contract";
import type { ClusterAdvice } from "@sluice/client/cluster-advice";
import { formatBitrate, formatBytes, formatCount, formatPercent } from "../format/numbers.ts";
import { formatDay, formatDuration, formatMillis } from "../format/times.ts";
import type { RatedLink } from "../live/cluster-view.ts";
import { Icon } from "../ui/icon.tsx";
import { Stat } from "../ui/stat.tsx";
import { ENGINE_MEANINGS, STATE_MEANINGS } from "./cluster-words.ts";
import { DrainButton } from "./drain-button.tsx";
import { NodeBadge } from "./node-badge.tsx";

export interface NodeDetailsProps {
  readonly row: NodeRow;
  readonly link: RatedLink | undefined;
  readonly advice: readonly ClusterAdvice[];
}

export function NodeDetails({ row, link, advice }: NodeDetailsProps) {
  const { id, self, state, linked } = row;
  const canDrain = (state === "ready" || state === "starting") && (self || linked);
  return (
    <section class="panel node-details" aria-labelledby="node-title" data-details={id}>
      <header class="node-details-head">
        <h2 id="node-title" class="mono">
          {id}
        </h2>
        {self && <span class="faint">this node</span>}
        <NodeBadge state={state} />
      </header>
      {state !== "ready" && <p class="faint">{STATE_MEANINGS[state]}.</p>}
      {advice.map(({ text }) => (
        <p key={text} class="node-advice">
          <Icon name="warning" size={16} />
          <span>{text}</span>
        </p>
      ))}
      <Figures row={row} />
      {!self && <LinkFigures link={link} />}
      <Addresses addresses={row.addresses} />
      {row.seed !== null && Object.keys(row.seed).length > 0 && <Seed properties={row.seed} />}
      {canDrain && <DrainButton row={row} />}
    </section>
  );
}

function Figures({ row }: { readonly row: NodeRow }) {
  const { roles, engine, version, differs, incarnation, since } = row;
  return (
    <>
      <OwnFigures row={row} />
      <dl class="node-figures">
        {engine !== null && <Stat label="Engine" title={ENGINE_MEANINGS[engine]} value={engine} />}
        <Stat label="Roles" value={roles.join(", ")} />
        <Stat label="Version" value={differs.includes("version") ? <Differing value={version} /> : version} />
        {differs.includes("auth") && <Stat label="auth.* settings" value={<Differing value="other" />} />}
        <Stat label="Since" value={formatDay(since)} title={since} />
        <Stat label="Incarnation" title="Later lives of one id have higher numbers" value={incarnation} />
      </dl>
    </>
  );
}

/** Figures that a node reports about itself: all of them, or none. */
function OwnFigures({ row: { heat, load, sessions, streams, uptimeSeconds } }: { readonly row: NodeRow }) {
  if (heat === null || load === null || sessions === null || streams === null || uptimeSeconds === null)
    return <p class="faint">It does not answer: what it carries is unknown.</p>;
  return (
    <dl class="node-figures three">
      <Stat label="Heat" title="How near it is to its limits" value={formatPercent(heat)} />
      <Stat label="Sessions" value={formatCount(sessions)} />
      <Stat label="Streams" value={formatCount(streams)} />
      <Stat label="CPU" title="Share of one core" value={formatPercent(load.cpu)} />
      <Stat label="Memory" value={formatBytes(load.memoryBytes)} />
      <Stat label="Up" value={formatDuration(uptimeSeconds)} />
    </dl>
  );
}

function Differing({ value }: { readonly value: string }) {
  return (
    <span class="differs" title="Not as on this node">
      {value} <span class="visually-hidden">(not as on this node)</span>
    </span>
  );
}

function LinkFigures({ link }: { readonly link: RatedLink | undefined }) {
  if (link === undefined) return <p class="node-part">No link with this node.</p>;
  const classes = Object.values(link.classes);
  const queued = classes.reduce((sum, { queued: bytes }) => sum + bytes, 0);
  const drops = classes.flatMap((row) => Object.values(row.drops)).reduce((sum, count) => sum + count, 0);
  return (
    <div class="node-part">
      <h3>Link</h3>
      <dl class="node-figures">
        <Stat label="Round trip" value={link.rtt === null ? "unknown" : formatMillis(link.rtt)} />
        <Stat
          label={link.direction === "out" ? "Dialled" : "Came from"}
          value={<span class="mono">{link.address}</span>}
        />
        <Stat label="In" value={formatBitrate(link.inRate)} title={`${formatBytes(link.bytesIn)} in all`} />
        <Stat label="Out" value={formatBitrate(link.outRate)} title={`${formatBytes(link.bytesOut)} in all`} />
        <Stat label="Waiting" title="Bytes that wait to be sent" value={formatBytes(queued)} />
        <Stat label="Dropped" title="Messages that were not sent" value={formatCount(drops)} />
      </dl>
    </div>
  );
}

function Addresses({ addresses }: { readonly addresses: NodeRow["addresses"] }) {
  return (
    <div class="node-part">
      <h3>Addresses</h3>
      <dl class="node-addresses">
        {Object.entries(addresses).map(([protocol, address]) => (
          <Stat key={protocol} label={protocol} value={<span class="mono">{address}</span>} />
        ))}
      </dl>
    </div>
  );
}

function Seed({ properties }: { readonly properties: Readonly<Record<string, string>> }) {
  return (
    <div class="node-part">
      <h3>As a seed here</h3>
      <dl class="node-addresses">
        {Object.entries(properties).map(([name, value]) => (
          <Stat key={name} label={name} value={<span class="mono">{value}</span>} />
        ))}
      </dl>
    </div>
  );
}
