// Ends a session, after confirmation.
import type { SessionRow } from "@sluice/client/admin-contract";
import { useState } from "preact/hooks";
import { messageOf } from "../api/api-errors.ts";
import { useConsole } from "../console-context.ts";
import { Dialog } from "../ui/dialog.tsx";

export function KickButton({ row }: { readonly row: SessionRow }) {
  const [isAsking, setAsking] = useState(false);
  return (
    <>
      <button
        type="button"
        class="button small danger"
        aria-label={`Kick ${row.role} ${row.address}`}
        onClick={() => setAsking(true)}
      >
        Kick
      </button>
      {isAsking && <KickDialog row={row} onClose={() => setAsking(false)} />}
    </>
  );
}

interface KickDialogProps {
  readonly row: SessionRow;
  readonly onClose: () => void;
}

function KickDialog({ row, onClose }: KickDialogProps) {
  const { sessions, toasts } = useConsole();
  const [isEnding, setEnding] = useState(false);
  const kick = async () => {
    setEnding(true);
    try {
      await sessions.end(row.id);
      toasts.show({ kind: "plain", text: `Kicked ${row.role} ${row.address}` });
    } catch (error) {
      toasts.show({ kind: "error", text: `The session did not end: ${messageOf(error)}` });
    }
    onClose();
  };
  return (
    <Dialog title={`Kick this ${row.role === "idle" ? "session" : row.role}?`} onClose={onClose}>
      <p>
        <span class="mono">{row.address}</span>
        {row.key && (
          <>
            {" "}
            on <strong>{row.key}</strong>
          </>
        )}{" "}
        is disconnected at once.
        {row.role === "publisher" && " The stream ends for its viewers."} Nothing keeps it from connecting again.
      </p>
      <footer class="dialog-foot">
        <button type="button" class="button" onClick={onClose}>
          Keep
        </button>
        <button type="button" class="button danger-solid" disabled={isEnding} onClick={() => void kick()}>
          {isEnding ? "Kicking" : "Kick"}
        </button>
      </footer>
    </Dialog>
  );
}
