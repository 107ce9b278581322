// Shared objects of a made-up cluster, and what the fake server does with them.
import type { ObjectAnswer, ObjectRow, PropertyRow } from "@sluice/client/admin-objects";

export function objectRow(path: string, change: Partial<ObjectRow> = {}): ObjectRow {
  return {
    path,
    scope: "cluster",
    home: "media-1",
    standby: "media-2",
    epoch: "1.7",
    version: 1_204,
    durability: "temporary",
    properties: 2,
    bytes: 184,
    clients: { here: 2, all: 5 },
    copies: [
      { node: "media-1", role: "home", clients: 2 },
      { node: "media-2", role: "standby", clients: 0 },
      { node: "media-3", role: "replica", clients: 3 },
    ],
    rate: 24.5,
    lastWriter: { client: "media-3.1.f", who: "198.51.100.4:40112" },
    ...change,
  };
}

export class FakeObjects {
  rows: ObjectRow[] = [];
  properties: PropertyRow[] = [];
  silent: string[] = [];
  /** What came of each change: `METHOD path?query body`. */
  readonly changes: string[] = [];
  #version = 1_204;

  set(name: string, value: unknown): void {
    const others = this.properties.filter((row) => row.name !== name);
    const at = `1.7/${++this.#version}`;
    this.properties = [...others, { name, value, at, bytes: 9 }].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @returns status and body */
  answer(method: string, url: URL, body: string): readonly [status: number, body: object] {
    const path = decodeURI(url.pathname.replace("/api/v1/objects", "").replace(/^\//, ""));
    if (method !== "GET") this.changes.push(`${method} ${path}${url.search} ${body}`.trim());
    if (path === "") return [200, { objects: this.rows, total: this.rows.length, more: false, silent: this.silent }];
    const found = this.rows.find((row) => path === row.path || path.startsWith(`${row.path}/`));
    if (found === undefined) return [404, { error: { code: "ADMIN_NOT_FOUND", message: `Cannot find "${path}"` } }];
    if (method === "GET") return [200, this.#opened(found)];
    return this.#change(method, url, found, body);
  }

  #opened(object: ObjectRow): ObjectAnswer {
    return { object, properties: this.properties, lock: null, silent: [] };
  }

  #change(method: string, { pathname, searchParams }: URL, row: ObjectRow, body: string): readonly [number, object] {
    const name = searchParams.get("property") ?? "";
    const at = searchParams.get("at");
    const standing = this.properties.find((property) => property.name === name)?.at ?? "none";
    if (at !== null && at !== standing) {
      const message = `Cannot change object "${row.path}": stale (${name})`;
      return [409, { error: { code: "ADMIN_OBJECT_REFUSED", message } }];
    }
    if (method === "PUT") this.set(name, JSON.parse(body));
    if (method === "DELETE" && name !== "") this.properties = this.properties.filter((one) => one.name !== name);
    if (method === "DELETE" && name === "") this.rows = this.rows.filter((one) => one !== row);
    if (pathname.endsWith("/clear")) this.properties = [];
    if (pathname.endsWith("/move")) this.#move(row, (JSON.parse(body) as { node: string }).node);
    return [200, { path: row.path, at: `1.7/${this.#version}` }];
  }

  #move(row: ObjectRow, home: string): void {
    const copies = row.copies.map((copy) => ({ ...copy, role: copy.node === home ? "home" : "replica" }) as const);
    this.rows = this.rows.map((one) => (one === row ? { ...row, home, copies } : one));
  }
}
