/** Reports sessions and streams that begin and end: to the log, the event stream and the counters. */
import type { Clock } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import type { Meter } from "@sluice/base/meter";
import type { StreamNotice } from "@sluice/media/stream-directory";
import type { SessionNotices } from "../sessions/session-registry.ts";
import type { StreamTotals } from "../streams/stream-totals.ts";
import type { EventHub } from "./event-hub.ts";
import { isoTime } from "./rows.ts";
import type { TrafficTotals } from "./traffic-totals.ts";

export function noticesFor(options: {
  readonly hub: EventHub;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  readonly traffic: TrafficTotals;
  readonly totals: StreamTotals;
}): { readonly ofSessions: SessionNotices; readonly ofStreams: (notice: StreamNotice) => void } {
  const { hub, clock, log, meter, traffic, totals } = options;
  return {
    ofSessions: {
      opened({ id, protocol, address }) {
        meter.counter("sessions_opened_total", "Sessions opened, by protocol", { protocol }).add();
        if (!hub.isIdle) hub.tell({ type: "session-opened", at: isoTime(clock.wall()), id, protocol, address });
      },
      closed(session, { reason, detail, durationMs }) {
        const { id, protocol, address, latest, facts } = session;
        const { agent, bytesIn, bytesOut } = facts;
        traffic.keep(session);
        meter.counter("sessions_closed_total", "Sessions closed, by protocol and reason", { protocol, reason }).add();
        const who = { session: id, ...latest, protocol, address, agent };
        const why = detail === "" ? { reason } : { reason, detail };
        log.info({ ...who, bytesIn, bytesOut, durationMs, ...why }, SESSION_CLOSED);
        if (!hub.isIdle) hub.tell({ type: "session-closed", at: isoTime(clock.wall()), id, reason });
      },
    },
    ofStreams({ type, stream, reason }) {
      const { key } = stream.stream;
      totals.note(stream.stream);
      log.info({ key, address: stream.publisher?.address, reason }, STREAM_WORDS[type]);
      const at = isoTime(clock.wall());
      if (type === "ended") hub.tell({ type: "stream-ended", at, key, reason });
      else hub.tell({ type: `stream-${type}`, at, key });
    },
  };
}

/** One line per session, never folded with another's. */
export const SESSION_CLOSED = "Session closed";

const STREAM_WORDS: Readonly<Record<StreamNotice["type"], string>> = {
  live: "Stream is live",
  grace: "Stream lost its publisher; viewers are kept",
  ended: "Stream ended",
};
