// Shows one uPlot in a box: follows its size, theme and data, and draws only while visible.
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";

export type PlotOptions = Omit<uPlot.Options, "width" | "height">;

export interface PlotCanvasProps {
  /** Read once, when the plot opens. */
  readonly options: PlotOptions;
  readonly data: uPlot.AlignedData;
  /** Changes whenever the arrays in `data` grew. */
  readonly revision: number;
  /** For screen readers. */
  readonly label: string;
  readonly class?: string;
}

export function PlotCanvas({ options, data, revision, label, class: className }: PlotCanvasProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const isVisible = useRef(true);

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const drawn = new uPlot({ ...options, width: element.clientWidth, height: element.clientHeight }, data, element);
    plot.current = drawn;
    const stopFollowing = followBox(element, drawn, (visible) => {
      if (visible && !isVisible.current) drawn.setData(data);
      isVisible.current = visible;
    });
    return () => {
      stopFollowing();
      drawn.destroy();
      plot.current = undefined;
    };
  }, [data, options]);

  useEffect(() => {
    if (isVisible.current) plot.current?.setData(data);
  }, [revision, data]);

  return <div ref={box} class={`plot-canvas ${className ?? ""}`} role="img" aria-label={label} />;
}

function followBox(element: HTMLElement, plot: uPlot, onVisible: (isVisible: boolean) => void): () => void {
  const size = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: element.clientHeight }));
  size.observe(element);
  const sight = new IntersectionObserver(([entry]) => onVisible(entry?.isIntersecting ?? true));
  sight.observe(element);
  const theme = matchMedia("(prefers-color-scheme: light)");
  const redraw = () => plot.redraw(false, true);
  theme.addEventListener("change", redraw);
  return () => {
    size.disconnect();
    sight.disconnect();
    theme.removeEventListener("change", redraw);
  };
}
