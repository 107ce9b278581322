// Shown for a node outside a cluster: says so, and which settings to use for one.
import { CopyField } from "../ui/copy-field.tsx";
import { Icon } from "../ui/icon.tsx";

export function LoneNode() {
  return (
    <div class="panel lone-node">
      <div class="lone-lead">
        <span class="notice-icon">
          <Icon name="cluster" size={24} />
        </span>
        <h2>This node is alone</h2>
        <p>
          Nothing of <span class="mono">cluster.*</span> is set, so it shares nothing and opens no port for other nodes.
        </p>
      </div>
      <div class="guide-part">
        <h2>For a cluster on this machine</h2>
        <CopyField label="Start this node with" value="./sluice --set cluster.port=7935" wraps />
        <CopyField label="and another with" value="./sluice --instance 1 --set cluster.seeds=127.0.0.1:7935" wraps />
        <p>
          Beyond one machine, nodes need <span class="mono">cluster.secretFile</span> too, with the same secret in each.
        </p>
      </div>
    </div>
  );
}
