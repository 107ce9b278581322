// The bar on top: name, navigation, which node this is and whether the view is live.
import { useObservable } from "../base/use-observable.ts";
import { useConsole } from "../console-context.ts";
import type { Route } from "../routes.ts";
import { Logo } from "../ui/logo.tsx";
import { ConnectionBadge } from "./connection-badge.tsx";
import { NavBar } from "./nav-bar.tsx";

export function TopBar({ route }: { readonly route: Route }) {
  const { feed } = useConsole();
  const node = useObservable(feed.view)?.node;
  return (
    <header class="top-bar">
      <div class="top-bar-inner">
        <a class="brand" href="#/" aria-label="Sluice, home">
          <Logo />
          <span>Sluice</span>
        </a>
        <NavBar route={route} placement="top" />
        <div class="top-bar-end">
          {node && node.state !== "ready" && <span class="badge badge-grace">{node.state}</span>}
          {node && (
            <span class="node-name" title={`Node ${node.id}, version ${node.version}`}>
              {node.id}
            </span>
          )}
          <ConnectionBadge />
        </div>
      </div>
    </header>
  );
}
