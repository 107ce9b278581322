// One shared object: where it lives, its properties as they change, and what an operator may do to it.
import type { ObjectAnswer } from "@sluice/client/admin-objects";
import { useEffect, useState } from "preact/hooks";
import { useObservable } from "../base/use-observable.ts";
import { useConsole } from "../console-context.ts";
import { formatBytes, formatCount } from "../format/numbers.ts";
import { formatRoute } from "../routes.ts";
import { Icon } from "../ui/icon.tsx";
import { Notice } from "../ui/notice.tsx";
import { Stat } from "../ui/stat.tsx";
import { ObjectCopies } from "./object-copies.tsx";
import { ClearButton, ForgetButton } from "./object-orders.tsx";
import { durabilityName, rateText, writerName } from "./object-words.ts";
import { PropertyTable } from "./property-table.tsx";

export function ObjectPage({ path }: { readonly path: string }) {
  const { openObject } = useConsole();
  const [polled] = useState(() => openObject(path));
  useEffect(() => polled.watch(), [polled]);
  const state = useObservable(polled.state);
  return (
    <article class="object-page" aria-busy={state.at === "loading"}>
      <header class="stream-head">
        <a
          class="icon-button"
          href={formatRoute({ at: "objects" })}
          aria-label="Back to objects"
          title="Back to objects"
        >
          <Icon name="back" />
        </a>
        <h1 class="stream-head-key">{path}</h1>
        {state.at === "ready" && <p class="stream-head-facts">{durabilityName(state.value.object)}</p>}
      </header>
      {state.at === "loading" && <div class="panel table-loading" />}
      {state.at === "missing" && (
        <Notice icon="objects" title="There is no such object now">
          <p>Nobody uses it, and it was not kept. It appears here as soon as a client opens it.</p>
        </Notice>
      )}
      {state.at === "failed" && (
        <Notice icon="warning" title="The object could not be read">
          <p>{state.reason}. The console keeps trying.</p>
        </Notice>
      )}
      {state.at === "ready" && <Opened answer={state.value} changed={() => polled.noteChange()} />}
    </article>
  );
}

function Opened({ answer, changed }: { readonly answer: ObjectAnswer; readonly changed: () => void }) {
  const { object, properties, lock, silent } = answer;
  return (
    <>
      <section class="panel section" aria-label="Where it lives">
        <ObjectCopies row={object} onMoved={changed} />
        <dl class="facts">
          <Stat label="Clients" value={formatCount(object.clients.all)} />
          <Stat label="Changes" value={rateText(object.rate)} />
          <Stat label="Version" value={formatCount(object.version)} />
          <Stat label="Epoch" value={<span class="mono">{object.epoch}</span>} />
          <Stat label="Size" value={formatBytes(object.bytes)} />
          <Stat label="Last writer" value={writerName(object) || "–"} />
          {lock !== null && <Stat label="Locked by" value={<span class="mono">{lock.owner}</span>} />}
        </dl>
        {silent.length > 0 && <p class="stale-mark">No answer in time from {silent.join(", ")}.</p>}
      </section>
      <PropertyTable path={object.path} properties={properties} total={object.properties} onChanged={changed} />
      <footer class="object-orders">
        <ClearButton path={object.path} onDone={changed} />
        <ForgetButton path={object.path} clientCount={object.clients.all} onDone={changed} />
      </footer>
    </>
  );
}
