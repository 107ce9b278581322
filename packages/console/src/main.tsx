// Opens the console: creates its stores, starts the live feed and draws the page.
import { render } from "preact";
import { ConsoleContext } from "./console-context.ts";
import { createConsoleRoot } from "./console-root.ts";
import { App } from "./shell/app.tsx";
import "uplot/dist/uPlot.min.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import "./styles/dialog.css";
import "./styles/shell.css";
import "./styles/plots.css";
import "./styles/streams.css";
import "./styles/stream-detail.css";
import "./styles/flow.css";
import "./styles/player.css";
import "./styles/tables.css";
import "./styles/objects.css";
import "./styles/cluster-map.css";
import "./styles/cluster.css";

const place = document.getElementById("console");
if (!place) throw new Error("Cannot open the console: the page has no #console element");

const root = createConsoleRoot();
render(
  <ConsoleContext.Provider value={root}>
    <App />
  </ConsoleContext.Provider>,
  place,
);
void root.feed.run(new AbortController().signal);
