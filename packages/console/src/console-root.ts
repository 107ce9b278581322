// Creates the console's stores and connects them.
import { type AdminApi, createAdminApi } from "./api/admin-api.ts";
import { isClusterEvent } from "./live/cluster-view.ts";
import { ClusterFeed } from "./live/cluster-feed.ts";
import { History } from "./live/history.ts";
import { LiveFeed } from "./live/live-feed.ts";
import { Polled } from "./live/polled.ts";
import { SessionList } from "./live/session-list.ts";
import { Timeline, type TimelineEvent } from "./live/timeline.ts";
import { Toasts } from "./live/toasts.ts";
import { formatRoute } from "./routes.ts";
import type { ObjectAnswer, ObjectsAnswer } from "@sluice/client/admin-objects";
import { Observable, type Readable } from "./base/observable.ts";

export interface ConsoleRoot {
  readonly api: AdminApi;
  readonly history: History;
  readonly feed: LiveFeed;
  readonly sessions: SessionList;
  readonly cluster: ClusterFeed;
  readonly objects: Polled<ObjectsAnswer>;
  openObject(path: string): Polled<ObjectAnswer>;
  readonly timeline: Timeline;
  /** Events of nodes and links only: otherwise many other events would displace them. */
  readonly clusterTimeline: Timeline;
  readonly toasts: Toasts;
}

export function createConsoleRoot(): ConsoleRoot {
  const api = createAdminApi();
  const history = new History();
  const timeline = new Timeline();
  const clusterTimeline = new Timeline();
  const toasts = new Toasts();
  const feed = new LiveFeed({
    api,
    history,
    onEvent(event) {
      if (event.type === "stats") return;
      timeline.add(event);
      announce(toasts, event);
      if (event.type === "session-opened" || event.type === "session-closed") sessions.noteChange();
      if (event.type.startsWith("object-")) objects.noteChange();
      if (isClusterEvent(event)) {
        clusterTimeline.add(event);
        cluster.noteEvent(event);
      }
    },
  });
  const sessions = new SessionList(api, feed.connection);
  const isPageVisible = pageVisibility();
  const { connection } = feed;
  const cluster = new ClusterFeed({ api, connection, isPageVisible });
  const polling = { connection, isPageVisible };
  const objects = new Polled({ ...polling, ...OBJECTS_PACE, ask: () => api.objects() });
  const openObject = (path: string) => new Polled({ ...polling, ...OBJECT_PACE, ask: () => api.object(path) });
  return { api, history, feed, sessions, cluster, objects, openObject, timeline, clusterTimeline, toasts };
}

/** Every answer costs a call to each node of the cluster. */
const OBJECTS_PACE = { interval: 2_000, spacing: 1_000 };
/** Fast enough to be seen moving, slow enough to be read. */
const OBJECT_PACE = { interval: 500, spacing: 250 };

/** Shows a toast for streams that come or go and nodes in trouble, but not for sessions, which come by the hundred. */
function announce(toasts: Toasts, event: TimelineEvent): void {
  switch (event.type) {
    case "stream-live":
      return toasts.show({ kind: "good", text: `${event.key} is live`, href: hrefOf(event.key) });
    case "stream-grace":
      return toasts.show({ kind: "warning", text: `${event.key} lost its publisher`, href: hrefOf(event.key) });
    case "stream-ended":
      return toasts.show({ kind: "plain", text: `${event.key} ended` });
    case "node-suspect":
      return toasts.show({ kind: "warning", text: `Node ${event.id} is suspect`, href: CLUSTER });
    case "node-dead":
      return toasts.show({ kind: "warning", text: `Node ${event.id} is dead`, href: CLUSTER });
    case "session-opened":
    case "session-closed":
    case "node-joined":
    case "node-back":
    case "node-left":
    case "link-up":
    case "link-down":
    case "object-created":
    case "object-restored":
    case "object-moved":
    case "object-taken-over":
    case "object-forgotten":
      return;
  }
}

const CLUSTER = formatRoute({ at: "cluster" });

function hrefOf(key: string): string {
  return formatRoute({ at: "stream", key });
}

/** False in a background tab. */
function pageVisibility(): Readable<boolean> {
  const isVisible = new Observable(!document.hidden);
  document.addEventListener("visibilitychange", () => isVisible.set(!document.hidden));
  return isVisible;
}
