// The frame of every page: bars, banner, the page itself, toasts.
import { useEffect, useRef } from "preact/hooks";
import { useObservable } from "../base/use-observable.ts";
import { useConsole } from "../console-context.ts";
import { ActivityPage } from "../activity/activity-page.tsx";
import { ClusterPage } from "../cluster/cluster-page.tsx";
import { type Route, useRoute } from "../routes.ts";
import { ObjectPage } from "../objects/object-page.tsx";
import { ObjectsPage } from "../objects/objects-page.tsx";
import { SessionsPage } from "../sessions/sessions-page.tsx";
import { StreamPage } from "../stream-detail/stream-page.tsx";
import { StreamsPage } from "../streams/streams-page.tsx";
import { ConnectionBanner } from "./connection-banner.tsx";
import { NavBar } from "./nav-bar.tsx";
import { NodeStrip } from "./node-strip.tsx";
import { ToastStack } from "./toast-stack.tsx";
import { TokenForm } from "./token-form.tsx";
import { TopBar } from "./top-bar.tsx";

export function App() {
  const { feed } = useConsole();
  const connection = useObservable(feed.connection);
  const route = useRoute();
  const main = useRef<HTMLElement>(null);
  useFreshPage(route, main);
  if (connection.at === "refused") return <TokenForm />;
  const isStale = connection.at === "lost";
  return (
    <div class={isStale ? "app is-stale" : "app"}>
      <a class="skip-link" href="#main" onClick={(event) => focusMain(event, main.current)}>
        Skip to content
      </a>
      <TopBar route={route} />
      <ConnectionBanner />
      <main ref={main} class="page" tabIndex={-1}>
        {!OWN_HEAD.has(route.at) && <NodeStrip />}
        <Page route={route} />
      </main>
      <NavBar route={route} placement="bottom" />
      <ToastStack />
    </div>
  );
}

function Page({ route }: { readonly route: Route }) {
  switch (route.at) {
    case "streams":
      return <StreamsPage />;
    case "stream":
      return <StreamPage key={route.key} streamKey={route.key} />;
    case "objects":
      return <ObjectsPage />;
    case "object":
      return <ObjectPage key={route.path} path={route.path} />;
    case "sessions":
      return <SessionsPage />;
    case "cluster":
      return <ClusterPage />;
    case "activity":
      return <ActivityPage />;
  }
}

/** Pages that say themselves what they are about. */
const OWN_HEAD: ReadonlySet<Route["at"]> = new Set(["stream", "object", "cluster"]);

const TITLES = {
  objects: "Objects",
  streams: "Streams",
  sessions: "Sessions",
  cluster: "Cluster",
  activity: "Activity",
} as const;

function titleOf(route: Route): string {
  if (route.at === "stream") return route.key;
  return route.at === "object" ? route.path : TITLES[route.at];
}

/** A new page starts at the top, with its own title, and takes the focus so that screen readers announce it. */
function useFreshPage(route: Route, main: { readonly current: HTMLElement | null }): void {
  const isFirst = useRef(true);
  useEffect(() => {
    document.title = `${titleOf(route)} · Sluice`;
    if (!isFirst.current) {
      scrollTo(0, 0);
      main.current?.focus({ preventScroll: true });
    }
    isFirst.current = false;
  }, [route, main]);
}

/** The hash belongs to the router, so the skip link moves the focus itself. */
function focusMain(event: Event, main: HTMLElement | null): void {
  event.preventDefault();
  main?.focus();
}
