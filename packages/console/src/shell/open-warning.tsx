// Warns that no credentials are required; can be hidden for this visit.
import type { OwnNodeRow } from "@sluice/client/admin-contract";
import { useState } from "preact/hooks";
import { Icon } from "../ui/icon.tsx";
import { IconButton } from "../ui/icon-button.tsx";

const DISMISSED = "sluice.open-warning-dismissed";

export function OpenWarning({ open }: { readonly open: OwnNodeRow["open"] }) {
  const [isDismissed, setDismissed] = useState(() => sessionStorage.getItem(DISMISSED) !== null);
  if (isDismissed || (!open.publish && !open.play)) return null;
  const dismiss = () => {
    sessionStorage.setItem(DISMISSED, "yes");
    setDismissed(true);
  };
  return (
    <aside class="open-warning">
      <Icon name="open" />
      <p>
        <strong>{headline(open)}</strong> Anyone who reaches this node needs no credentials. Set{" "}
        <OpenKeys open={open} /> in its configuration to close it.
      </p>
      <IconButton icon="close" label="Hide this warning" onClick={dismiss} />
    </aside>
  );
}

function headline(open: OwnNodeRow["open"]): string {
  if (open.publish && open.play) return "Publishing and playing are open.";
  return open.publish ? "Publishing is open." : "Playing is open.";
}

/** The configuration keys that restrict access. */
function OpenKeys({ open }: { readonly open: OwnNodeRow["open"] }) {
  if (!open.publish) return <code>auth.play</code>;
  if (!open.play) return <code>auth.publish</code>;
  return (
    <>
      <code>auth.publish</code> and <code>auth.play</code>
    </>
  );
}
