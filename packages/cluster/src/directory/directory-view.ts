/** A node's copy of the directory, read without waiting: rows of nodes and of homes as the engine's watch tells them. */
import type { Engine, Key } from "@sluice/engine/engine";
import {
  DIRECTORY_PREFIX,
  decodeHomeRow,
  decodeNodeRow,
  type HomeKind,
  type HomeRow,
  keyOfHome,
  keyOfNode,
  type NodeRow,
  parseRowKey,
} from "./rows.ts";

type Row = { readonly kind: "node"; readonly row: NodeRow } | { readonly kind: "home"; readonly row: HomeRow };

export type DirectoryChange =
  | { readonly type: "node"; readonly id: string; readonly row: NodeRow | undefined }
  | { readonly type: "home"; readonly kind: HomeKind; readonly key: string; readonly row: HomeRow | undefined }
  /** Whether what is shown may be old. */
  | { readonly type: "stale"; readonly isStale: boolean };

export class DirectoryView {
  /** Rows that cannot be read. They stand in the way of claims all the same. */
  unreadableCount = 0;
  readonly #rows = new Map<Key, Row>();
  readonly #listeners = new Set<(change: DirectoryChange) => void>();
  /** Keys told since `reset`, until `current`. */
  #told: Set<Key> | undefined;
  #isStale = true;
  #wasCurrent = false;

  /** What is shown may be old, and is not therefore gone: before the first read, and while the engine is out of reach. */
  get isStale(): boolean {
    return this.#isStale;
  }

  /** Everything was read once, so that what is shown is old at worst. */
  get wasCurrent(): boolean {
    return this.#wasCurrent;
  }

  get nodes(): readonly NodeRow[] {
    return [...this.#rows.values()].flatMap((one) => (one.kind === "node" ? [one.row] : []));
  }

  homes(kind: HomeKind): readonly HomeRow[] {
    return [...this.#rows.values()].flatMap((one) => (one.kind === "home" && one.row.kind === kind ? [one.row] : []));
  }

  findNode(id: string): NodeRow | undefined {
    const found = this.#rows.get(keyOfNode(id));
    return found?.kind === "node" ? found.row : undefined;
  }

  findHome(kind: HomeKind, key: string): HomeRow | undefined {
    const found = this.#rows.get(keyOfHome(kind, key));
    return found?.kind === "home" ? found.row : undefined;
  }

  /** Whether what a node owned in that life has run out; false while the engine cannot say. */
  isGone(id: string, incarnation: number): boolean {
    if (this.#isStale) return false;
    const row = this.findNode(id);
    return row === undefined || row.incarnation > incarnation;
  }

  /** In order; nothing is told of what stands already. */
  onChange(listener: (change: DirectoryChange) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Follows the engine until the signal aborts, or the engine closes. */
  async follow(engine: Engine, signal: AbortSignal): Promise<void> {
    for await (const event of engine.watch(DIRECTORY_PREFIX, signal)) {
      switch (event.type) {
        case "reset":
          this.#told = new Set();
          break;
        case "put":
          this.#told?.add(event.entry.key);
          this.#put(event.entry.key, event.entry);
          break;
        case "deleted":
          this.#told?.delete(event.key);
          this.#remove(event.key);
          break;
        case "current":
          for (const key of this.#told === undefined ? [] : this.#rows.keys()) {
            if (this.#told?.has(key) === false) this.#remove(key);
          }
          this.#told = undefined;
          this.#setStale(false);
          break;
        case "stale":
          this.#setStale(true);
      }
    }
    this.#setStale(true);
  }

  #put(key: Key, entry: Parameters<typeof decodeHomeRow>[2]): void {
    const parsed = parseRowKey(key);
    if (parsed === undefined) return;
    if (parsed.kind === "node") {
      const row = decodeNodeRow(parsed.id, entry.value);
      if (row === undefined) return this.#unreadable(key);
      this.#rows.set(key, { kind: "node", row });
      return this.#tell({ type: "node", id: parsed.id, row });
    }
    const row = decodeHomeRow(parsed.kind, parsed.key, entry);
    if (row === undefined) return this.#unreadable(key);
    this.#rows.set(key, { kind: "home", row });
    this.#tell({ type: "home", kind: parsed.kind, key: parsed.key, row });
  }

  #unreadable(key: Key): void {
    this.unreadableCount++;
    this.#remove(key);
  }

  #remove(key: Key): void {
    const parsed = parseRowKey(key);
    this.#rows.delete(key);
    if (parsed === undefined) return;
    if (parsed.kind === "node") this.#tell({ type: "node", id: parsed.id, row: undefined });
    else this.#tell({ type: "home", kind: parsed.kind, key: parsed.key, row: undefined });
  }

  #setStale(isStale: boolean): void {
    this.#wasCurrent ||= !isStale;
    if (this.#isStale === isStale) return;
    this.#isStale = isStale;
    this.#tell({ type: "stale", isStale });
  }

  #tell(change: DirectoryChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
