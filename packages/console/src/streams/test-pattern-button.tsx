// Starts the server's own moving picture and opens its page.
import { useState } from "preact/hooks";
import { messageOf } from "../api/api-errors.ts";
import { useConsole } from "../console-context.ts";
import { formatRoute } from "../routes.ts";
import { Icon } from "../ui/icon.tsx";

export function TestPatternButton({ kind }: { readonly kind: "primary" | "plain" }) {
  const { api, toasts } = useConsole();
  const [isStarting, setStarting] = useState(false);
  const start = async () => {
    setStarting(true);
    try {
      const { key } = await api.startTestPattern();
      location.hash = formatRoute({ at: "stream", key });
    } catch (error) {
      toasts.show({ kind: "error", text: `The test pattern did not start: ${messageOf(error)}` });
    }
    setStarting(false);
  };
  return (
    <button type="button" class={`button ${kind}`} disabled={isStarting} onClick={() => void start()}>
      <Icon name="pattern" />
      {isStarting ? "Starting" : "Start test pattern"}
    </button>
  );
}
