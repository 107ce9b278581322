// The publishing guide, for a node that already has streams.
import type { OwnNodeRow } from "@sluice/client/admin-contract";
import { Dialog } from "../ui/dialog.tsx";
import { PublishGuide } from "./publish-guide.tsx";
import { TestPatternButton } from "./test-pattern-button.tsx";

export interface PublishDialogProps {
  readonly node: OwnNodeRow;
  readonly onClose: () => void;
}

export function PublishDialog({ node, onClose }: PublishDialogProps) {
  return (
    <Dialog title="Publish to this node" wide onClose={onClose}>
      <PublishGuide node={node} streamKey="live/cam" />
      <footer class="dialog-foot">
        <TestPatternButton kind="plain" />
      </footer>
    </Dialog>
  );
}
