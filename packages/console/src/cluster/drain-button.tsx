// Drains a node, after confirmation.
import type { NodeRow } from "@sluice/client/admin-contract";
import { useState } from "preact/hooks";
import { messageOf } from "../api/api-errors.ts";
import { useConsole } from "../console-context.ts";
import { Dialog } from "../ui/dialog.tsx";

export function DrainButton({ row }: { readonly row: NodeRow }) {
  const [isAsking, setAsking] = useState(false);
  return (
    <>
      <button
        type="button"
        class="button small danger drain-button"
        aria-label={`Drain ${row.id}`}
        onClick={() => setAsking(true)}
      >
        Drain
      </button>
      {isAsking && <DrainDialog row={row} onClose={() => setAsking(false)} />}
    </>
  );
}

interface DrainDialogProps {
  readonly row: NodeRow;
  readonly onClose: () => void;
}

function DrainDialog({ row, onClose }: DrainDialogProps) {
  const { api, toasts } = useConsole();
  const [isSending, setSending] = useState(false);
  const drain = async () => {
    setSending(true);
    try {
      await api.drainNode(row.id);
      toasts.show({ kind: "plain", text: `Node ${row.id} is draining` });
    } catch (error) {
      toasts.show({ kind: "error", text: `The node does not drain: ${messageOf(error)}` });
    }
    onClose();
  };
  return (
    <Dialog title={`Drain ${row.id}?`} onClose={onClose}>
      <p>
        Nothing new begins on it. What runs goes on until it ends or <span class="mono">shutdown.timeout</span> is over;
        then <strong>the node stops</strong>. {row.self && "This console goes with it."}
      </p>
      <footer class="dialog-foot">
        <button type="button" class="button" onClick={onClose}>
          Keep
        </button>
        <button type="button" class="button danger-solid" disabled={isSending} onClick={() => void drain()}>
          {isSending ? "Draining" : "Drain"}
        </button>
      </footer>
    </Dialog>
  );
}
