// The node at a glance: load, memory, traffic, sessions, each with its last two minutes.
import type { OwnNodeRow } from "@sluice/client/admin-contract";
import { useObservable } from "../base/use-observable.ts";
import { useConsole } from "../console-context.ts";
import { formatBitrate, formatBytes, formatCount, formatPercent } from "../format/numbers.ts";
import { NODE_COLUMNS } from "../live/history.ts";
import type { SampleRing } from "../live/sample-ring.ts";
import type { PlotTone } from "../plots/plot-style.ts";
import { Sparkline } from "../plots/sparkline.tsx";

interface Gauge {
  readonly label: string;
  readonly title: string;
  readonly column: number;
  readonly tone: PlotTone;
  /** Top of the plot while all values are smaller. */
  readonly floor: number;
  readonly value: (node: OwnNodeRow, ring: SampleRing) => string;
}

const latest = (ring: SampleRing, column: number) => ring.columns[column]?.at(-1) ?? 0;

const GAUGES: readonly Gauge[] = [
  {
    label: "CPU",
    title: "Share of one core",
    column: NODE_COLUMNS.cpu,
    tone: "muted",
    floor: 1,
    value: (node) => formatPercent(node.load.cpu),
  },
  {
    label: "Event loop",
    title: "How busy the event loop is; near 100 % everything waits",
    column: NODE_COLUMNS.loop,
    tone: "muted",
    floor: 1,
    value: (node) => formatPercent(node.load.loop),
  },
  {
    label: "Memory",
    title: "Resident memory of the server process",
    column: NODE_COLUMNS.memory,
    tone: "muted",
    floor: 1,
    value: (node) => formatBytes(node.load.memoryBytes),
  },
  {
    label: "In",
    title: "Received from all publishers and viewers",
    column: NODE_COLUMNS.inRate,
    tone: "accent",
    floor: 100_000,
    value: (_node, ring) => formatBitrate(latest(ring, NODE_COLUMNS.inRate)),
  },
  {
    label: "Out",
    title: "Sent to all viewers",
    column: NODE_COLUMNS.outRate,
    tone: "accent",
    floor: 100_000,
    value: (_node, ring) => formatBitrate(latest(ring, NODE_COLUMNS.outRate)),
  },
  {
    label: "Sessions",
    title: "Publishers, viewers and idle connections",
    column: NODE_COLUMNS.sessions,
    tone: "violet",
    floor: 4,
    value: (node) => formatCount(node.sessions),
  },
];

export function NodeStrip() {
  const { feed, history } = useConsole();
  const view = useObservable(feed.view);
  return (
    <section class="panel node-strip" aria-label="Node">
      {GAUGES.map((gauge) => (
        <div key={gauge.label} class="gauge" title={gauge.title}>
          <span class="gauge-label">{gauge.label}</span>
          <span class="gauge-value">{view ? gauge.value(view.node, history.node) : "–"}</span>
          <Sparkline
            ring={history.node}
            column={gauge.column}
            revision={view?.at ?? 0}
            tone={gauge.tone}
            floor={gauge.floor}
            label={`${gauge.label}, last two minutes`}
          />
        </div>
      ))}
    </section>
  );
}
