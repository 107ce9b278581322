// Redraws a component whenever the value it watches changes.
import { useEffect, useState } from "preact/hooks";
import type { Readable } from "./observable.ts";

export function useObservable<T>(source: Readable<T>): T {
  const [, redraw] = useState({});
  useEffect(() => {
    redraw({}); // the value may have changed between drawing and this effect
    return source.subscribe(() => redraw({}));
  }, [source]);
  return source.get();
}
