// A small plot without axes, for rows and the node strip.
import { useMemo } from "preact/hooks";
import type uPlot from "uplot";
import type { SampleRing } from "../live/sample-ring.ts";
import { PlotCanvas, type PlotOptions } from "./plot-canvas.tsx";
import { fromZero, lastSeconds, type PlotTone, toneColour } from "./plot-style.ts";

/** Two minutes: enough to see a dip, short enough that a second is more than a pixel. */
const SECONDS = 120;

export interface SparklineProps {
  readonly ring: SampleRing;
  readonly column: number;
  readonly revision: number;
  readonly tone: PlotTone;
  /** Top of the scale while all values are smaller. */
  readonly floor: number;
  readonly label: string;
}

export function Sparkline({ ring, column, revision, tone, floor, label }: SparklineProps) {
  const options = useMemo(() => sparklineOptions(tone, floor), [tone, floor]);
  const data = useMemo(() => [ring.times, ring.columns[column] ?? []] as uPlot.AlignedData, [ring, column]);
  return <PlotCanvas class="sparkline" options={options} data={data} revision={revision} label={label} />;
}

function sparklineOptions(tone: PlotTone, floor: number): PlotOptions {
  return {
    padding: [2, 1, 1, 1],
    cursor: { show: false },
    legend: { show: false },
    axes: [{ show: false }, { show: false }],
    scales: { x: { time: true, range: lastSeconds(SECONDS) }, y: { range: fromZero(floor) } },
    series: [{}, { stroke: toneColour(tone), fill: toneColour(tone, 0.14), width: 1.5, points: { show: false } }],
  };
}
