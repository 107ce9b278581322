// Stops a test pattern; shown only on the page of one.
import { useState } from "preact/hooks";
import { messageOf } from "../api/api-errors.ts";
import { useObservable } from "../base/use-observable.ts";
import { useConsole } from "../console-context.ts";

export function StopPatternButton({ streamKey }: { readonly streamKey: string }) {
  const { testPatterns, toasts } = useConsole();
  const isPattern = useObservable(testPatterns.keys).has(streamKey);
  const [isStopping, setStopping] = useState(false);
  if (!isPattern) return null;
  const stop = async () => {
    setStopping(true);
    try {
      await testPatterns.stop(streamKey);
    } catch (error) {
      toasts.show({ kind: "error", text: `The test pattern did not stop: ${messageOf(error)}` });
    }
    setStopping(false);
  };
  return (
    <button type="button" class="button" disabled={isStopping} onClick={() => void stop()}>
      {isStopping ? "Stopping" : "Stop test pattern"}
    </button>
  );
}
