// Server-sent events of the admin API as typed events, with an end: closed, or silent for too long.
import type { AdminEvent } from "@sluice/client/admin-contract";

const TYPES: Readonly<Record<AdminEvent["type"], true>> = {
  "stream-live": true,
  "stream-grace": true,
  "stream-ended": true,
  "session-opened": true,
  "session-closed": true,
  "node-joined": true,
  "node-suspect": true,
  "node-back": true,
  "node-left": true,
  "node-dead": true,
  "link-up": true,
  "link-down": true,
  "object-created": true,
  "object-restored": true,
  "object-moved": true,
  "object-taken-over": true,
  "object-forgotten": true,
  stats: true,
};

export interface EventListening {
  readonly url: string;
  /** `stats` comes every second, so silence longer than this means that the connection is dead. */
  readonly silenceMillis: number;
  readonly signal: AbortSignal;
  readonly onEvent: (event: AdminEvent) => void;
}

/** Listens until the connection is lost, falls silent or the signal aborts; then everything is closed. */
export function listenToEvents({ url, silenceMillis, signal, onEvent }: EventListening): Promise<void> {
  return new Promise((resolve) => {
    const source = new EventSource(url);
    let watchdog = setTimeout(finish, silenceMillis);
    function finish() {
      clearTimeout(watchdog);
      source.close();
      signal.removeEventListener("abort", finish);
      resolve();
    }
    function receive(message: MessageEvent<string>) {
      clearTimeout(watchdog);
      watchdog = setTimeout(finish, silenceMillis);
      onEvent(JSON.parse(message.data) as AdminEvent);
    }
    for (const type of Object.keys(TYPES)) source.addEventListener(type, receive);
    // The browser's own retry is not used: it does not report a 401 and has no backoff.
    source.addEventListener("error", finish);
    signal.addEventListener("abort", finish, { once: true });
    if (signal.aborted) finish();
  });
}
