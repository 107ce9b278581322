// One event as a sentence.
import { protocolName } from "../format/codecs.ts";
import type { TimelineEvent } from "../live/timeline.ts";
import { formatRoute } from "../routes.ts";

export function EventText({ event }: { readonly event: TimelineEvent }) {
  switch (event.type) {
    case "stream-live":
      return (
        <>
          <KeyLink streamKey={event.key} /> is live
        </>
      );
    case "stream-grace":
      return (
        <>
          <KeyLink streamKey={event.key} /> lost its publisher, which may return
        </>
      );
    case "stream-ended":
      return (
        <>
          <KeyLink streamKey={event.key} /> ended <span class="faint">{event.reason}</span>
        </>
      );
    case "session-opened":
      return (
        <>
          <span class="mono">{event.address}</span> connected over {protocolName(event.protocol)}
        </>
      );
    case "session-closed":
      return (
        <>
          Session <span class="mono">{event.id}</span> closed <span class="faint">{event.reason}</span>
        </>
      );
  }
}

function KeyLink({ streamKey }: { readonly streamKey: string }) {
  return <a href={formatRoute({ at: "stream", key: streamKey })}>{streamKey}</a>;
}
