/** Refuses cycles of files and packages; type-only imports count, since they are dependencies too. */
import { posix } from "node:path";
import { type Finding, refused } from "./finding.ts";
import type { Tree } from "./tree.ts";

type Graph = ReadonlyMap<string, readonly string[]>;

export function checkCycles(tree: Tree): Finding[] {
  return [...findCycles(fileGraph(tree)), ...findCycles(packageGraph(tree))].map((cycle) =>
    refused(cycle[0] as string, `is in a cycle: ${[...cycle, cycle[0]].join(" → ")}`),
  );
}

function fileGraph(tree: Tree): Graph {
  const files = [...tree.rooms.flatMap((room) => [...room.src, ...room.tests]), ...tree.outside];
  const known = new Set(files.map((file) => file.path));
  return new Map(
    files.map((file) => {
      const targets = file.imports.flatMap((specifier) => sourceOf(file.path, specifier, known));
      return [file.path, targets] as const;
    }),
  );
}

function packageGraph(tree: Tree): Graph {
  return new Map(
    tree.rooms.map((room) => {
      const specifiers = room.src.flatMap((file) => file.imports);
      const targets = specifiers.flatMap((specifier) => /^@sluice\/([^/]+)/.exec(specifier)?.[1] ?? []);
      return [`packages/${room.name}`, [...new Set(targets)].map((name) => `packages/${name}`)] as const;
    }),
  );
}

function sourceOf(importer: string, specifier: string, known: ReadonlySet<string>): string[] {
  const ours = /^@sluice\/([^/]+)\/(.+)$/.exec(specifier);
  const bare = specifier.startsWith(".")
    ? posix.join(posix.dirname(importer), specifier)
    : ours === null
      ? undefined
      : `packages/${ours[1]}/src/${ours[2]}`;
  if (bare === undefined) return [];
  return [bare, `${bare}.ts`, `${bare}.tsx`].filter((path) => known.has(path)).slice(0, 1);
}

/** One cycle for each strongly connected component of the graph (Tarjan), as a path through it. */
function findCycles(graph: Graph): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const cycles: string[][] = [];

  const visit = (node: string): void => {
    index.set(node, index.size);
    low.set(node, index.get(node) as number);
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) low.set(node, Math.min(low.get(node) as number, low.get(next) as number));
    }
    if (low.get(node) !== index.get(node)) return;
    const knot = stack.splice(stack.indexOf(node));
    if (knot.length > 1 || graph.get(node)?.includes(node)) cycles.push(shortestCycle(graph, node, new Set(knot)));
  };

  for (const node of graph.keys()) if (!index.has(node)) visit(node);
  return cycles;
}

function shortestCycle(graph: Graph, start: string, knot: ReadonlySet<string>): string[] {
  const paths = [[start]];
  const seen = new Set<string>();
  for (const path of paths) {
    for (const next of graph.get(path.at(-1) as string) ?? []) {
      if (next === start) return path;
      if (!knot.has(next) || seen.has(next)) continue;
      seen.add(next);
      paths.push([...path, next]);
    }
  }
  return [start];
}
