/** What a simulated member stands on: a state machine that remembers everything, and a disk that forgets. */
import type { LogRecord, SnapshotMeta } from "@sluice/cache/replica/log-record";
import type { HardState, ReplicaOutput } from "@sluice/cache/replica/replica-output";
import type { AppliedAt, StateMachine } from "@sluice/cache/state-machine";

/** Remembers every operation in order, and tells the judge of each. */
export class ListState implements StateMachine<string> {
  applied: string[] = [];
  work = 0;
  readonly #judge: (operation: string, at: AppliedAt) => void;
  constructor(judge: (operation: string, at: AppliedAt) => void) {
    this.#judge = judge;
  }
  get snapshotBytes(): number {
    return this.applied.length * 16;
  }
  apply(operation: Uint8Array, at: AppliedAt): string {
    const text = Buffer.from(operation).toString();
    this.#judge(text, at);
    this.applied.push(text);
    this.work++;
    return `${at.index}:${text}`;
  }
  snapshot(): Iterable<Uint8Array> {
    return this.applied.map((text) => Buffer.from(text));
  }
  restore(pieces: Iterable<Uint8Array>): void {
    this.applied = Array.from(pieces, (piece) => Buffer.from(piece).toString());
  }
}

export interface Kept {
  hardState: HardState | undefined;
  snapshot: { meta: SnapshotMeta; pieces: Uint8Array[] } | undefined;
  log: LogRecord[];
}

export type DiskOutput = Extract<
  ReplicaOutput<string>,
  { type: "store" | "install-snapshot" | "save-snapshot" | "compact" }
>;

/** `written` outlives the process, `synced` outlives the power. */
export class SimDisk {
  written: Kept = { hardState: undefined, snapshot: undefined, log: [] };
  synced: Kept = { hardState: undefined, snapshot: undefined, log: [] };
  readonly queue: { at: number; output: DiskOutput }[] = [];

  perform(output: DiskOutput): void {
    const kept = { ...this.written };
    if (output.type === "store") {
      const { truncateFrom, append, hardState } = output;
      const before = truncateFrom === undefined ? kept.log : kept.log.filter((record) => record.index < truncateFrom);
      kept.log = append.length === 0 ? before : [...before, ...append];
      kept.hardState = hardState ?? kept.hardState;
    } else if (output.type === "compact") kept.log = kept.log.filter((record) => record.index > output.upTo);
    else {
      kept.snapshot = { meta: output.meta, pieces: Array.from(output.pieces, (piece) => piece.slice()) };
      if (output.type === "install-snapshot") kept.log = [];
    }
    this.written = kept;
    if (output.type !== "store" || output.isSync) this.synced = this.written;
  }
}
