// The cluster as the answering node sees it: picture, selected node, all nodes, events.
import { clusterAdvice } from "@sluice/client/cluster-advice";
import { useEffect, useRef, useState } from "preact/hooks";
import { useObservable } from "../base/use-observable.ts";
import { useConsole } from "../console-context.ts";
import type { ClusterView } from "../live/cluster-view.ts";
import { Notice } from "../ui/notice.tsx";
import { ClusterEvents } from "./cluster-events.tsx";
import { ClusterMap } from "./cluster-map.tsx";
import { adviceFor, headline } from "./cluster-words.ts";
import { LoneNode } from "./lone-node.tsx";
import { NodeDetails } from "./node-details.tsx";
import { NodeSpots } from "./node-spots.ts";
import { NodeTable } from "./node-table.tsx";
import { pictureOf } from "./picture.ts";

export function ClusterPage() {
  const { cluster } = useConsole();
  useEffect(() => cluster.watch(), [cluster]);
  const state = useObservable(cluster.state);
  return (
    <section class="cluster" aria-labelledby="cluster-title" aria-busy={state.at === "loading"}>
      <header class="page-head">
        <h1 id="cluster-title">Cluster</h1>
        {state.at === "ready" && <Headline view={state.view} />}
      </header>
      {state.at === "loading" && <div class="panel cluster-loading" />}
      {state.at === "failed" && (
        <Notice icon="warning" title="The nodes could not be read">
          <p>{state.reason}. The console keeps trying.</p>
        </Notice>
      )}
      {state.at === "ready" && <Nodes view={state.view} />}
    </section>
  );
}

function Headline({ view }: { readonly view: ClusterView }) {
  return (
    <p class="page-hint cluster-headline" role="status">
      {headline(view)}
      {view.stale && <strong class="stale-mark">, this view may be wrong</strong>}
    </p>
  );
}

function Nodes({ view }: { readonly view: ClusterView }) {
  const [spots] = useState(() => new NodeSpots());
  const [wanted, choose] = useState("");
  const top = useRef<HTMLDivElement>(null);
  const chooseInList = (id: string) => {
    choose(id);
    top.current?.querySelector("[data-details]")?.scrollIntoView({ block: "nearest" });
  };
  const chosen = view.nodes.find(({ id }) => id === wanted) ?? view.nodes.find(({ self }) => self);
  const advice = clusterAdvice(view, view.engine.kind, view.engine.members);
  // In a cluster the incarnation is at least 1.
  if (chosen === undefined || (view.nodes.length === 1 && chosen.incarnation === 0)) {
    return (
      <>
        <LoneNode />
        {advice.length > 0 && <Advice texts={advice.map(({ text }) => text)} />}
      </>
    );
  }
  return (
    <>
      <div ref={top} class="cluster-top">
        <ClusterMap picture={pictureOf(view, spots)} chosenId={chosen.id} onChoose={choose} />
        <NodeDetails
          row={chosen}
          link={view.links.find(({ peer }) => peer === chosen.id)}
          advice={adviceFor(advice, chosen.id)}
        />
      </div>
      <NodeTable view={view} chosenId={chosen.id} onChoose={chooseInList} />
      <div class="cluster-bottom">
        <Advice texts={advice.map(({ text }) => text)} />
        <ClusterEvents />
      </div>
    </>
  );
}

function Advice({ texts }: { readonly texts: readonly string[] }) {
  return (
    <section class="panel cluster-advice" aria-labelledby="advice-title">
      <h2 id="advice-title">What to do</h2>
      {texts.length === 0 && <p class="faint">Nothing: every node is linked, answers and agrees with this one.</p>}
      <ul>
        {texts.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </section>
  );
}
