// Links to the pages: in the top bar on wide screens, at the bottom edge on phones.
import { useObservable } from "../base/use-observable.ts";
import { useConsole } from "../console-context.ts";
import { formatRoute, type Route } from "../routes.ts";
import { Icon } from "../ui/icon.tsx";

const PAGES = [
  { at: "streams", label: "Streams" },
  { at: "objects", label: "Objects" },
  { at: "sessions", label: "Sessions" },
  { at: "cluster", label: "Cluster" },
  { at: "activity", label: "Activity" },
] as const;

export interface NavBarProps {
  readonly route: Route;
  readonly placement: "top" | "bottom";
}

export function NavBar({ route, placement }: NavBarProps) {
  const { feed } = useConsole();
  const view = useObservable(feed.view);
  const counts = {
    streams: view?.node.streams,
    sessions: view?.node.sessions,
    objects: undefined,
    cluster: undefined,
    activity: undefined,
  };
  const current = route.at === "stream" ? "streams" : route.at === "object" ? "objects" : route.at;
  return (
    <nav class={`nav nav-${placement}`} aria-label="Pages">
      {PAGES.map(({ at, label }) => (
        <a key={at} class="nav-link" href={formatRoute({ at })} aria-current={at === current ? "page" : undefined}>
          <Icon name={at} size={20} />
          <span>{label}</span>
          {counts[at] !== undefined && <span class="nav-count">{counts[at]}</span>}
        </a>
      ))}
    </nav>
  );
}
