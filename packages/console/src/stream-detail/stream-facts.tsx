// Details of a stream: publisher, tracks, group-of-pictures cache, delivery.
import type { StreamRow } from "@sluice/client/admin-contract";
import type { ComponentChildren } from "preact";
import { audioShape, codecName, frameSize, protocolName } from "../format/codecs.ts";
import { formatBytes, formatCount } from "../format/numbers.ts";
import { Stat } from "../ui/stat.tsx";

export function StreamFacts({ row }: { readonly row: StreamRow }) {
  return (
    <div class="facts">
      <FactPanel title="Publisher">
        <PublisherFacts publisher={row.publisher} />
      </FactPanel>
      <FactPanel title="Tracks">
        <TrackFacts row={row} />
      </FactPanel>
      <FactPanel title="GOP cache">
        <Stat label="Frames" value={formatCount(row.gop.frames)} />
        <Stat label="Size" value={formatBytes(row.gop.bytes)} />
        <Stat label="Length" value={`${row.gop.seconds.toFixed(1)} s`} />
      </FactPanel>
      <FactPanel title="Delivery">
        <Stat label="Received" value={formatBytes(row.bytesIn)} />
        <Stat label="Sent" value={formatBytes(row.bytesOut)} />
        <Stat
          label="Skips"
          value={formatCount(row.skips)}
          title="Times that a lagging viewer was moved to a later keyframe"
        />
      </FactPanel>
    </div>
  );
}

interface FactPanelProps {
  readonly title: string;
  readonly children: ComponentChildren;
}

function FactPanel({ title, children }: FactPanelProps) {
  return (
    <section class="panel fact-panel">
      <h2>{title}</h2>
      <dl>{children}</dl>
    </section>
  );
}

function PublisherFacts({ publisher }: { readonly publisher: StreamRow["publisher"] }) {
  if (!publisher) return <p class="fact-none">No publisher at the moment</p>;
  return (
    <>
      <Stat label="Protocol" value={protocolName(publisher.protocol)} />
      {publisher.address && <Stat label="Address" value={<span class="mono">{publisher.address}</span>} />}
      <Stat label="Program" value={publisher.agent || "unknown"} title={publisher.agent} />
    </>
  );
}

function TrackFacts({ row: { video, audio, extraTracks } }: { readonly row: StreamRow }) {
  return (
    <>
      <Stat
        label="Video"
        value={
          video ? <Track name={codecName(video.codec)} shape={frameSize(video)} codec={video.codecString} /> : "none"
        }
      />
      <Stat
        label="Audio"
        value={
          audio ? <Track name={codecName(audio.codec)} shape={audioShape(audio)} codec={audio.codecString} /> : "none"
        }
      />
      {extraTracks.length > 0 && <Stat label="More" value={extraTracks.join(", ")} />}
    </>
  );
}

interface TrackProps {
  readonly name: string;
  readonly shape: string;
  readonly codec: string;
}

function Track({ name, shape, codec }: TrackProps) {
  return (
    <>
      <span>{[name, shape].filter(Boolean).join(", ")}</span>
      <code class="track-codec">{codec}</code>
    </>
  );
}
