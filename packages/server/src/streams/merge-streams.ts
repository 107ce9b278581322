/** One stream as several nodes report it, as one row: who publishes it where, its home, its way to every viewer. */
import type { StreamCopyRow, StreamRow } from "@sluice/client/admin-contract";
import type { GivenCopy, NodeStream } from "../cluster/stream-list.ts";

/** What the directory has of a stream. */
export interface StreamHomeFacts {
  readonly home: string;
  /** Null while the state engine has not confirmed it. */
  readonly epoch: string | null;
  readonly publisherAt: string;
  readonly publication: string;
}

export interface StreamAtNode {
  readonly node: string;
  readonly stream: NodeStream;
}

/**
 * @param reports  at least one; that of the answering node counts first, then that of the node with the publisher
 * @param home  undefined: the directory has no such stream
 */
export function mergeStream(
  reports: readonly StreamAtNode[],
  { self, home }: { readonly self: string; readonly home: StreamHomeFacts | undefined },
): StreamRow {
  const at = (node: string | undefined): StreamRow | undefined => reports.find((one) => one.node === node)?.stream.row;
  const own = at(self);
  const base = own ?? at(home?.publisherAt) ?? (reports[0] as StreamAtNode).stream.row;
  const publisherAt = home?.publisherAt ?? base.publisherAt;
  const origin = at(publisherAt ?? undefined) ?? base;
  const copies = copiesOf(reports, { publisherAt, home: home?.home ?? base.home });
  return {
    ...base,
    state: own?.state === "waiting" && origin.state !== "waiting" ? origin.state : base.state,
    home: home?.home ?? base.home,
    publisherAt,
    publication: home?.publication ?? base.publication,
    epoch: home?.epoch ?? null,
    publisher: origin.publisher ?? base.publisher,
    video: base.video ?? origin.video,
    audio: base.audio ?? origin.audio,
    viewers: {
      here: own?.viewers.here ?? 0,
      all: reports.reduce((sum, { stream }) => sum + stream.row.viewers.here, 0),
    },
    copies,
  };
}

const ORDER: readonly StreamCopyRow["role"][] = ["publisher", "home", "relay", "edge"];

function copiesOf(
  reports: readonly StreamAtNode[],
  { publisherAt, home }: { readonly publisherAt: string | null; readonly home: string },
): readonly StreamCopyRow[] {
  const given = new Map<string, GivenCopy & { readonly by: string }>();
  const givers = new Set<string>();
  for (const { node, stream } of reports) {
    if (stream.given.length > 0) givers.add(node);
    for (const copy of stream.given) given.set(copy.node, { ...copy, by: node });
  }
  const roleOf = (node: string): StreamCopyRow["role"] => {
    if (node === publisherAt) return "publisher";
    if (node === home && publisherAt !== null) return "home";
    return givers.has(node) ? "relay" : "edge";
  };
  const fromAbove = (node: string): Pick<StreamCopyRow, "delayMs" | "drops"> => {
    const copy = given.get(node);
    return { delayMs: copy?.delayMs ?? null, drops: copy?.drops ?? null };
  };
  const answered = reports.map(({ node, stream: { row, path } }): StreamCopyRow => {
    const { viewers, bitrate } = row;
    return { node, role: roleOf(node), path, viewers: viewers.here, bitrate, ...fromAbove(node) };
  });
  const isKnown = (node: string): boolean => reports.some((one) => one.node === node);
  const silent = [...given.values()].filter(({ node }) => !isKnown(node));
  const unheard = silent.map(({ node, by }): StreamCopyRow => {
    const above = reports.find((one) => one.node === by)?.stream.path ?? [by];
    return { node, role: roleOf(node), path: [node, ...above], viewers: null, bitrate: null, ...fromAbove(node) };
  });
  return [...answered, ...unheard].sort(
    (a, b) => ORDER.indexOf(a.role) - ORDER.indexOf(b.role) || (a.node < b.node ? -1 : 1),
  );
}
