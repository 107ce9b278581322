// How to publish to this node: the fields of OBS and a line for ffmpeg, both ready to copy.
import type { OwnNodeRow } from "@sluice/client/admin-contract";
import { ffmpegPublishLine, obsFields, rtmpBase } from "../format/addresses.ts";
import { CopyField } from "../ui/copy-field.tsx";

export interface PublishGuideProps {
  readonly node: OwnNodeRow;
  readonly streamKey: string;
}

export function PublishGuide({ node, streamKey }: PublishGuideProps) {
  const base = rtmpBase(location, node.addresses);
  const obs = obsFields(base, streamKey);
  return (
    <div class="guide">
      <section class="guide-part">
        <h2>OBS Studio</h2>
        <p>
          In <em>Settings › Stream</em> choose the service <em>Custom…</em>, paste these two, and press{" "}
          <em>Start Streaming</em>.
        </p>
        <CopyField label="Server" value={obs.server} />
        <CopyField label="Stream key" value={obs.streamKey} />
      </section>
      <section class="guide-part">
        <h2>ffmpeg</h2>
        <p>Publishes a synthetic picture and tone; put your own input in place of both.</p>
        <CopyField label="Command" value={ffmpegPublishLine(base, streamKey)} wraps />
      </section>
    </div>
  );
}
