// Texts for objects, and values as a person reads and types them.
import type { ObjectRow } from "@sluice/client/admin-objects";

export function durabilityName({ durability, scope }: Pick<ObjectRow, "durability" | "scope">): string {
  const kept = nameOf(durability);
  return scope === "node" ? `${kept}, this node’s own` : kept;
}

function nameOf(durability: ObjectRow["durability"]): string {
  if (durability === null) return "not created yet";
  if (durability === "temporary") return "temporary";
  if (durability === "each") return "durable, each change";
  return durability === "release" ? "durable, on release" : `durable, every ${durability.every} ms`;
}

/** `edge-1: 3, edge-2: 1` */
export function clientsByNode({ copies }: Pick<ObjectRow, "copies">): string {
  return copies.map(({ node, clients }) => `${node}: ${clients}`).join(", ");
}

export function writerName({ lastWriter }: Pick<ObjectRow, "lastWriter">): string {
  return lastWriter === null ? "" : lastWriter.who || lastWriter.client;
}

export function rateText(rate: number): string {
  if (rate === 0) return "still";
  return `${rate < 10 ? rate.toFixed(1) : Math.round(rate)}/s`;
}

/** What a field holds: JSON, or text that is none, which is then meant as text. */
export function valueOf(typed: string): unknown {
  try {
    return JSON.parse(typed) as unknown;
  } catch {
    return typed;
  }
}

/** The other way round: text stands without quotes where it cannot be taken for anything else. */
export function typedOf(value: unknown): string {
  return typeof value === "string" && valueOf(value) === value ? value : JSON.stringify(value);
}
