// Where else to play the stream.
import { ffplayLine, type PlayAddresses } from "../format/addresses.ts";
import { CopyField } from "../ui/copy-field.tsx";

export function PlaySection({ addresses }: { readonly addresses: PlayAddresses }) {
  return (
    <section class="panel section" aria-labelledby="play-title">
      <h2 id="play-title">Play elsewhere</h2>
      <div class="play-grid">
        <CopyField label="RTMP" value={addresses.rtmp} />
        <CopyField label="HTTP-FLV" value={addresses.httpFlv} />
        <CopyField label="WS-FLV" value={addresses.wsFlv} />
        <CopyField label="ffplay" value={ffplayLine(addresses.rtmp)} wraps />
      </div>
    </section>
  );
}
