// The nodes that have a copy of an object: home, standby, replicas, with their clients; and a move to another home.
import type { ObjectCopyRow, ObjectRow } from "@sluice/client/admin-objects";
import { useState } from "preact/hooks";
import { messageOf } from "../api/api-errors.ts";
import { useConsole } from "../console-context.ts";
import { formatCount } from "../format/numbers.ts";
import { Dialog } from "../ui/dialog.tsx";

export interface ObjectCopiesProps {
  readonly row: ObjectRow;
  readonly onMoved: () => void;
}

export function ObjectCopies({ row, onMoved }: ObjectCopiesProps) {
  const [targets, setTargets] = useState<readonly string[]>();
  const { api, toasts } = useConsole();
  const ask = async () => {
    try {
      const { nodes } = await api.nodes();
      const suits = nodes.filter(
        ({ id, state, roles }) => id !== row.home && state === "ready" && roles.includes("origin"),
      );
      setTargets(suits.map(({ id }) => id));
    } catch (error) {
      toasts.show({ kind: "error", text: `The nodes could not be read: ${messageOf(error)}` });
    }
  };
  return (
    <div class="copies">
      <ul class="copy-list">
        {row.copies.map((copy) => (
          <Copy key={copy.node} copy={copy} />
        ))}
      </ul>
      {row.scope === "cluster" && row.home !== null && (
        <button type="button" class="button small" onClick={() => void ask()}>
          Move
        </button>
      )}
      {targets !== undefined && (
        <MoveDialog path={row.path} targets={targets} onMoved={onMoved} onClose={() => setTargets(undefined)} />
      )}
    </div>
  );
}

function Copy({ copy: { node, role, clients } }: { readonly copy: ObjectCopyRow }) {
  return (
    <li class={`copy-node is-${role}`} data-copy={node}>
      <span class="copy-role">{role}</span>
      <span class="copy-name">{node}</span>
      <span class="faint">
        {formatCount(clients)} {clients === 1 ? "client" : "clients"}
      </span>
    </li>
  );
}

interface MoveDialogProps {
  readonly path: string;
  readonly targets: readonly string[];
  readonly onMoved: () => void;
  readonly onClose: () => void;
}

function MoveDialog({ path, targets, onMoved, onClose }: MoveDialogProps) {
  const { api, toasts } = useConsole();
  const [moving, setMoving] = useState("");
  const move = async (node: string) => {
    setMoving(node);
    try {
      await api.moveObject(path, node);
      toasts.show({ kind: "good", text: `${node} is the home of ${path}` });
      onMoved();
    } catch (error) {
      toasts.show({ kind: "error", text: messageOf(error) });
    }
    onClose();
  };
  return (
    <Dialog title={`Move ${path}`} onClose={onClose}>
      {targets.length === 0 && <p>No other node could be its home: it must be ready and have the role origin.</p>}
      {targets.length > 0 && <p>The clients stay where they are and go on; nothing is lost.</p>}
      <div class="move-targets">
        {targets.map((node) => (
          <button key={node} type="button" class="button" disabled={moving !== ""} onClick={() => void move(node)}>
            {moving === node ? "Moving" : `To ${node}`}
          </button>
        ))}
      </div>
    </Dialog>
  );
}
