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
    case "node-joined":
    case "node-suspect":
    case "node-back":
    case "node-dead":
      return (
        <>
          Node <span class="mono">{event.id}</span> {NODE_WORDS[event.type]}
        </>
      );
    case "node-left":
      return (
        <>
          Node <span class="mono">{event.id}</span> left <span class="faint">{event.reason}</span>
        </>
      );
    case "link-up":
      return (
        <>
          Linked with node <span class="mono">{event.peer}</span>
        </>
      );
    case "link-down":
      return (
        <>
          Link to node <span class="mono">{event.peer}</span> ended <span class="faint">{event.reason}</span>
        </>
      );
    case "object-created":
    case "object-restored":
    case "object-moved":
    case "object-taken-over":
    case "object-forgotten":
      return (
        <>
          <a href={formatRoute({ at: "object", path: event.path })}>{event.path}</a> {objectWords(event)}
        </>
      );
  }
}

function objectWords(event: Extract<TimelineEvent, { type: `object-${string}` }>) {
  switch (event.type) {
    case "object-created":
      return "was created";
    case "object-restored":
      return "was opened again";
    case "object-moved":
      return `moved from ${event.from} to ${event.to}`;
    case "object-taken-over":
      return `lost its home; ${event.by} took it over`;
    case "object-forgotten":
      return event.isStored ? "is at rest in the state engine" : "is gone";
  }
}

const NODE_WORDS = {
  "node-joined": "joined",
  "node-suspect": "is suspect: no node hears it",
  "node-back": "is heard again",
  "node-dead": "is dead",
} as const;

function KeyLink({ streamKey }: { readonly streamKey: string }) {
  return <a href={formatRoute({ at: "stream", key: streamKey })}>{streamKey}</a>;
}
