/** A node's copy of the directory, read synchronously: rows of nodes and of homes, kept current by the engine's watch. */
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
  /** Whether the view may be out of date. */
  | { readonly type: "stale"; readonly isStale: boolean };

export class DirectoryView {
  /** Rows that cannot be decoded. They still block claims. */
  unreadableCount = 0;
  readonly #rows = new Map<Key, Row>();
  readonly #listeners = new Set<(change: DirectoryChange) => void>();
  /** Keys reported since `reset`, until `current`. */
  #told: Set<Key> | undefined;
  #isStale = true;
  #wasCurrent = false;

  /** The view may be out of date (its rows stay): before the first read, and while the engine is unreachable. */
  get isStale(): boolean {
    return this.#isStale;
  }

  /** The view was complete once: at worst it is out of date. */
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

  /** Whether the leases of that incarnation have run out; false while the engine cannot answer. */
  isGone(id: string, incarnation: number): boolean {
    if (this.#isStale) return false;
    const row = this.findNode(id);
    return row === undefined || row.incarnation > incarnation;
  }

  /** Called in order; rows already in the view are not reported. */
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
