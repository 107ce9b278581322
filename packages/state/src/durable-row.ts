/** The row of a durable object in the state engine: one write at a time, with all changes that came meanwhile. */
import { Backoff } from "@sluice/base/backoff";
import type { Millis } from "@sluice/base/brand";
import type { Clock, Timer } from "@sluice/base/clock";
import type { Log } from "@sluice/base/log";
import type { Engine, Entry, Key } from "@sluice/engine/engine";
import { compareEpochs, type Epoch } from "@sluice/engine/epoch";
import type { ObjectState, Snapshot } from "./object-state.ts";
import { ORIGIN } from "./position.ts";
import { decodeRow } from "./wire/decode.ts";
import { encodeRow } from "./wire/encode.ts";

/** Every row of an object starts so. */
export const OBJECT_ROW_PREFIX = "object/";

export interface DurableRowOptions {
  readonly path: string;
  readonly epoch: Epoch;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  /** What is to be written. */
  readonly state: ObjectState;
  /** More is written, or somebody with a higher epoch has the row: this is no home any more. */
  readonly changed: () => void;
}

const RETRY_FIRST = 50 as Millis;
const RETRY_CAP = 1_000 as Millis;

export class DurableRow implements Disposable {
  readonly #options: DurableRowOptions;
  readonly #key: Key;
  readonly #backoff: Backoff;
  readonly #ending = new AbortController();
  #epoch: Epoch;
  #revision: Epoch | "absent" = "absent";
  #writtenVersion = -1;
  #isWriting = false;
  #isWanted = false;
  #isDeposed = false;
  #timer: Timer | undefined;

  constructor(options: DurableRowOptions) {
    this.#options = options;
    this.#epoch = options.epoch;
    this.#key = OBJECT_ROW_PREFIX + options.path;
    this.#backoff = new Backoff({ first: RETRY_FIRST, cap: RETRY_CAP, factor: 2, random: options.random });
  }

  /** A home with a higher epoch has written. */
  get isDeposed(): boolean {
    return this.#isDeposed;
  }

  /** The same home goes on under another epoch. */
  raise(epoch: Epoch): void {
    this.#epoch = epoch;
  }

  /**
   * Raises the row to this home's epoch, so that late writes of earlier homes conflict.
   * @returns what stands in it; undefined where there is none, or this home is deposed or disposed of
   */
  async open(): Promise<Snapshot | undefined> {
    const { engine } = this.#options;
    while (!this.#isOver) {
      try {
        const entry = await engine.get(this.#key);
        if (this.#isOver || !this.#follow(entry)) return undefined;
        if (entry === undefined) return undefined;
        const { snapshot } = decodeRow(entry.value);
        const result = await engine.cas(this.#key, entry.revision, encodeRow(this.#epoch, snapshot));
        if (result.outcome === "conflict") continue;
        this.#revision = result.revision;
        this.#writtenVersion = snapshot.at.version;
        return snapshot;
      } catch (error) {
        this.#options.log.warn({ err: error, path: this.#options.path }, "Cannot read the row of a shared object yet");
        await this.#rest();
      }
    }
    return undefined;
  }

  /** Whether an acknowledgement of a version may be given, as far as durability goes. */
  has(version: number): boolean {
    return this.#options.state.durability?.type !== "each" || this.#writtenVersion >= version;
  }

  /** The object has changed. */
  touch(): void {
    const { durability } = this.#options.state;
    if (durability?.type === "each") this.write();
    if (durability?.type !== "every" || this.#timer !== undefined) return;
    this.#timer = this.#options.clock.after(durability.interval, () => {
      this.#timer = undefined;
      this.write();
    });
  }

  /** Writes what stands now, after the write that is under way. */
  write(): void {
    if (!this.#options.state.isDurable) return;
    this.#isWanted = true;
    if (!this.#isWriting) void this.#run();
  }

  /** Resolves once all is written that stands now, or nothing can be written any more. */
  async flush(): Promise<void> {
    const { state } = this.#options;
    if (!state.isDurable || this.#writtenVersion >= state.at.version) return;
    this.write();
    while (!this.#isOver && this.#writtenVersion < state.at.version) await this.#rest();
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#ending.abort();
  }

  get #isOver(): boolean {
    return this.#isDeposed || this.#ending.signal.aborted;
  }

  async #run(): Promise<void> {
    this.#isWriting = true;
    while (this.#isWanted && !this.#isOver) {
      this.#isWanted = false;
      await this.#writeOnce();
    }
    this.#isWriting = false;
  }

  async #writeOnce(): Promise<void> {
    const { engine, state, changed } = this.#options;
    const { version } = state.at;
    const value = encodeRow(this.#epoch, state.snapshot());
    while (!this.#isOver) {
      try {
        const result = await engine.cas(this.#key, this.#revision, value);
        if (this.#isOver) return;
        if (result.outcome === "written") {
          this.#revision = result.revision;
          this.#writtenVersion = Math.max(this.#writtenVersion, version);
          this.#backoff.reset();
          return changed();
        }
        if (!this.#follow(result.current)) return changed();
      } catch {
        await this.#rest();
      }
    }
  }

  /** What stands is what is to be written over: an earlier home's, or this one's, whose answer was lost. */
  #follow(entry: Entry | undefined): boolean {
    const standing = entry === undefined ? ORIGIN.epoch : decodeRow(entry.value).epoch;
    if (compareEpochs(standing, this.#epoch) > 0) this.#isDeposed = true;
    else this.#revision = entry?.revision ?? "absent";
    return !this.#isDeposed;
  }

  async #rest(): Promise<void> {
    await this.#options.clock.sleep(this.#backoff.next(), this.#ending.signal).catch(() => undefined);
  }
}
