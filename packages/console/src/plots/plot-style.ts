// What all plots share: colours from the style sheet, scales that hold still.
import type uPlot from "uplot";

export type PlotTone = "accent" | "live" | "violet" | "muted";

/** Colours are read while drawing, so that a change of theme needs only a redraw. */
export function toneColour(tone: PlotTone, alpha = 1): () => string {
  return () => {
    const colour = cssColour(`--plot-${tone}`);
    return alpha === 1 ? colour : `color-mix(in srgb, ${colour} ${alpha * 100}%, transparent)`;
  };
}

export function cssColour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** The last `seconds` before the newest sample, also while fewer are known: the line grows from the right. */
export function lastSeconds(seconds: number): uPlot.Range.Function {
  return (plot) => {
    const newest = plot.data[0]?.at(-1) ?? 0;
    return [newest - seconds, newest];
  };
}

/** From zero to a little above the highest value, at least up to `floor`. */
export function fromZero(floor: number): uPlot.Range.Function {
  return (_plot, _min, max) => [0, Math.max(floor, (max ?? 0) * 1.18)];
}
