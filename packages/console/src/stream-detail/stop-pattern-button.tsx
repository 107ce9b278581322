// Stops a test pattern; shown only on the page of one.
import { useState } from "preact/hooks";
import { messageOf } from "../api/api-errors.ts";
import { useConsole } from "../console-context.ts";

/** Leaves the page with its pattern, so that after a success it need not be pressed again. */
export function StopPatternButton({ streamKey }: { readonly streamKey: string }) {
  const { api, toasts } = useConsole();
  const [isStopping, setStopping] = useState(false);
  const stop = async () => {
    setStopping(true);
    try {
      await api.stopTestPattern(streamKey);
    } catch (error) {
      toasts.show({ kind: "error", text: `The test pattern did not stop: ${messageOf(error)}` });
      setStopping(false);
    }
  };
  return (
    <button type="button" class="button" disabled={isStopping} onClick={() => void stop()}>
      {isStopping ? "Stopping" : "Stop test pattern"}
    </button>
  );
}
