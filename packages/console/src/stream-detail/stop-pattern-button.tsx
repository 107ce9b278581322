// Stops a test pattern; shown only on the page of one.
import { useState } from "preact/hooks";
import { messageOf } from "../api/api-errors.ts";
import { useConsole } from "../console-context.ts";

/** Disappears with the pattern's page, so there is no state after success. */
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
