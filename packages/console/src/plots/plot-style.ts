// Shared by all plots: colours from the style sheet, steady scales.
import type uPlot from "uplot";

export type PlotTone = "accent" | "live" | "violet" | "muted";

/** Reads colours while drawing, so that a change of theme needs only a redraw. */
export function toneColour(tone: PlotTone, alpha = 1): () => string {
  return () => {
    const colour = cssColour(`--plot-${tone}`);
    return alpha === 1 ? colour : `color-mix(in srgb, ${colour} ${alpha * 100}%, transparent)`;
  };
}

export function cssColour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Least width of a plot in seconds: a line of three samples across the whole width would jump. */
const LEAST_SPAN = 30;

/** All that is known, up to the last `seconds` before the newest sample. */
export function lastSeconds(seconds: number): uPlot.Range.Function {
  return (plot) => {
    const times = plot.data[0] ?? [];
    const newest = times.at(-1) ?? 0;
    const known = newest - (times[0] ?? newest);
    return [newest - Math.min(seconds, Math.max(LEAST_SPAN, known)), newest];
  };
}

/** From zero to a little above the highest value, at least up to `floor`. */
export function fromZero(floor: number): uPlot.Range.Function {
  return (_plot, _min, max) => [0, Math.max(floor, (max ?? 0) * 1.18)];
}
