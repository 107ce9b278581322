// A plot with axes and a value that follows the pointer; plots with one sync key move together.
import { useMemo, useState } from "preact/hooks";
import type uPlot from "uplot";
import { HISTORY_SECONDS } from "../live/history.ts";
import type { SampleRing } from "../live/sample-ring.ts";
import { PlotCanvas, type PlotOptions } from "./plot-canvas.tsx";
import { cssColour, fromZero, lastSeconds, type PlotTone, toneColour } from "./plot-style.ts";

export interface TimePlotProps {
  readonly title: string;
  readonly ring: SampleRing;
  readonly column: number;
  readonly revision: number;
  readonly tone: PlotTone;
  readonly floor: number;
  readonly syncKey: string;
  /** Must be the same function for every drawing. */
  readonly format: (value: number) => string;
}

export function TimePlot(props: TimePlotProps) {
  const { title, ring, column, revision, tone, floor, syncKey, format } = props;
  const [hovered, setHovered] = useState<number>();
  const options = useMemo(
    () => timePlotOptions({ tone, floor, syncKey, format, onHover: setHovered }),
    [tone, floor, syncKey, format],
  );
  const data = useMemo(() => [ring.times, ring.columns[column] ?? []] as uPlot.AlignedData, [ring, column]);
  const index = hovered ?? ring.times.length - 1;
  const value = ring.columns[column]?.[index];
  const age = hovered === undefined ? 0 : (ring.times.at(-1) ?? 0) - (ring.times[hovered] ?? 0);
  const text = value === undefined || value === null ? "–" : format(value);
  return (
    <figure class="time-plot">
      <figcaption>
        <span class="time-plot-title">{title}</span>
        <span class="time-plot-age">{hovered === undefined ? "now" : `${Math.round(age)} s ago`}</span>
        <span class="time-plot-value">{text}</span>
      </figcaption>
      <PlotCanvas
        options={options}
        data={data}
        revision={revision}
        label={`${title}, last five minutes, now ${text}`}
      />
    </figure>
  );
}

interface TimePlotShape extends Pick<TimePlotProps, "tone" | "floor" | "syncKey" | "format"> {
  readonly onHover: (index: number | undefined) => void;
}

function timePlotOptions({ tone, floor, syncKey, format, onHover }: TimePlotShape): PlotOptions {
  return {
    padding: [8, 14, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { setScale: false }, sync: { key: syncKey, setSeries: false }, points: { size: 7 } },
    scales: { x: { time: true, range: lastSeconds(HISTORY_SECONDS) }, y: { range: fromZero(floor) } },
    axes: [timeAxis(), valueAxis(format)],
    series: [{}, { stroke: toneColour(tone), fill: toneColour(tone, 0.12), width: 1.75, points: { show: false } }],
    hooks: { setCursor: [(plot) => onHover(isOutside(plot) ? undefined : (plot.cursor.idx ?? undefined))] },
  };
}

function isOutside(plot: uPlot): boolean {
  return (plot.cursor.left ?? -1) < 0;
}

const FONT = "11px system-ui, sans-serif";

function timeAxis(): uPlot.Axis {
  return {
    font: FONT,
    size: 24,
    gap: 4,
    stroke: () => cssColour("--faint"),
    grid: { show: false },
    ticks: { show: false },
    // Ages instead of clock times: the labels stay in place while the line moves.
    splits: (plot) => ageSplits(plot.scales.x?.min ?? 0, plot.scales.x?.max ?? 0),
    values: (plot, splits) => splits.map((at) => ageLabel((plot.scales.x?.max ?? 0) - at)),
  };
}

/** Marks at round ages, four or five for any span; none so far left that its label would be cut. */
function ageSplits(oldest: number, newest: number): number[] {
  const span = newest - oldest;
  const step = AGE_STEPS.find((candidate) => span / candidate <= 5) ?? 60;
  const splits: number[] = [];
  for (let age = 0; age <= span * 0.96; age += step) splits.unshift(newest - age);
  return splits;
}

/** Seconds between two marks. */
const AGE_STEPS = [10, 15, 30, 60] as const;

function ageLabel(age: number): string {
  const seconds = Math.round(age);
  if (seconds === 0) return "now";
  return seconds % 60 === 0 ? `−${seconds / 60} min` : `−${seconds} s`;
}

function valueAxis(format: (value: number) => string): uPlot.Axis {
  return {
    font: FONT,
    size: 64,
    gap: 6,
    space: 34,
    stroke: () => cssColour("--faint"),
    grid: { stroke: () => cssColour("--line"), width: 1 },
    ticks: { show: false },
    values: (_plot, splits) => splits.map(format),
  };
}
