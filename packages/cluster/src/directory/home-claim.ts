/** This node's claim to be the home of one stream or object, from request to end, including losses of the engine. */
import { Backoff } from "@sluice/base/backoff";
import type { Millis } from "@sluice/base/brand";
import type { Clock } from "@sluice/base/clock";
import type { Engine, Entry, Lease } from "@sluice/engine/engine";
import { compareEpochs, type Epoch } from "@sluice/engine/epoch";
import { EngineLeaseLostError } from "@sluice/engine/errors";
import { type Claimant, judgeClaim } from "./claim-rules.ts";
import type { DirectoryView } from "./directory-view.ts";
import type { DirectoryTimings } from "./limits.ts";
import { decodeHomeRow, encodeHomeRow, type HomeFields, type HomeKind, type HomeRow, keyOfHome } from "./rows.ts";

export type ClaimState =
  /** Not the home. `taken`: waits for the lease of the present home; `unavailable`: for the engine; `asking`: for its answer. */
  | { readonly at: "claiming"; readonly why: "asking" | "unavailable" | "taken"; readonly by: HomeFields | undefined }
  /** Streams only: home until another node is confirmed; announced to all linked nodes. */
  | { readonly at: "provisional" }
  /** @property since  `resumed`: no other home since this node's last epoch; `claimed`: there may have been one */
  | { readonly at: "confirmed"; readonly epoch: Epoch; readonly since: "claimed" | "resumed" }
  /** Objects only: the lease has run out. Acknowledges nothing until the claim is confirmed again, or lost. */
  | { readonly at: "paused"; readonly epoch: Epoch }
  /** Handing over: acknowledges nothing any more. */
  | { readonly at: "frozen"; readonly epoch: Epoch }
  | { readonly at: "lost"; readonly to: HomeFields | undefined }
  | { readonly at: "released" };

export interface ClaimWish {
  readonly kind: HomeKind;
  readonly key: string;
  readonly fields: HomeFields;
  /** While another node is home: wait for its lease to run out, or give up the claim at once. */
  readonly ifTaken: "wait" | "yield";
  /** Epoch of the present home, which handed over to this node. */
  readonly takesFrom?: Epoch;
}

export interface ClaimPorts {
  readonly engine: Engine;
  readonly view: DirectoryView;
  readonly clock: Clock;
  readonly random: () => number;
  readonly timings: DirectoryTimings;
  /** Lease of all homes of this node; undefined while there is none. */
  readonly lease: () => Lease | undefined;
  /** The provisional home, as announced by other nodes. */
  readonly heard: (kind: HomeKind, key: string) => HomeFields | undefined;
  /** The state has changed. */
  readonly changed: (claim: HomeClaim) => void;
}

type Standing = HomeRow | "unreadable" | undefined;
type Written =
  | { readonly type: "written"; readonly epoch: Epoch }
  | { readonly type: "conflict"; readonly standing: Standing }
  | "failed";

export class HomeClaim {
  readonly wish: ClaimWish;
  /** Resolves once the claim is over and its row, if any, is deleted or belongs to another node. */
  readonly finished: Promise<void>;
  readonly #ports: ClaimPorts;
  readonly #listeners = new Set<(state: ClaimState) => void>();
  readonly #backoff: Backoff;
  #state: ClaimState = { at: "claiming", why: "asking", by: undefined };
  #woken = Promise.withResolvers<void>();
  /** Lease under which the row was written. */
  #lease: Lease | undefined;
  #wasDeleted = false;
  /** When the present request to the engine began. */
  #askedAt: Millis | undefined;
  #isResuming = false;

  /** @param after  an earlier claim of this node to the same key */
  constructor(wish: ClaimWish, ports: ClaimPorts, after: Promise<void>) {
    const { random, timings } = ports;
    this.wish = wish;
    this.#ports = ports;
    this.#backoff = new Backoff({ first: timings.retryFirst, cap: timings.retryCap, factor: 2, random });
    this.finished = after.then(() => this.#run()).then(() => this.#clear());
  }

  get state(): ClaimState {
    return this.#state;
  }

  /** Read in the same turn of the loop as the acknowledgement, and again for each one. */
  get mayAcknowledge(): boolean {
    if (this.#state.at !== "confirmed" || this.#lease?.lost.aborted !== false) return false;
    return this.#lease.validUntil > this.#ports.clock.now();
  }

  /** Called in order, from the next change on. */
  onChange(listener: (state: ClaimState) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Acknowledges nothing from now on. @returns the epoch for the next home; undefined unless this is a confirmed home */
  freeze(): Epoch | undefined {
    if (!this.mayAcknowledge || this.#state.at !== "confirmed") return undefined;
    const { epoch } = this.#state;
    this.#set({ at: "frozen", epoch });
    return epoch;
  }

  /** The hand-over failed: home again, unless the other node has taken the row. */
  resume(): void {
    if (this.#state.at !== "frozen") return;
    this.#isResuming = true;
    this.poke();
  }

  /** May be called twice, in any state. */
  release(): void {
    if (this.#isOver) return;
    this.#set({ at: "released" });
    this.poke();
  }

  /** For the directory: the lease, the announcements, or the view changed. @param wasDeleted  the row was reported as deleted */
  poke(wasDeleted = false): void {
    this.#wasDeleted ||= wasDeleted;
    this.#woken.resolve();
  }

  get #isOver(): boolean {
    return this.#state.at === "lost" || this.#state.at === "released";
  }

  get #isHolding(): boolean {
    const { at } = this.#state;
    return at === "provisional" || at === "paused" || at === "frozen" || at === "confirmed";
  }

  async #run(): Promise<void> {
    const { kind, key } = this.wish;
    let standing: Standing = this.#ports.view.findHome(kind, key);
    while (!this.#isOver) {
      const taken = this.#takenBy(standing);
      const { act } = taken === undefined ? ({ act: "write" } as const) : taken;
      if (act === "yield") return this.#set({ at: "lost", to: taken?.by });
      if (act === "wait") {
        this.#askedAt = undefined;
        this.#set({ at: "claiming", why: "taken", by: taken?.by });
        await this.#wake();
        standing = this.#ports.view.findHome(kind, key);
        continue;
      }
      const result = await this.#write(standing);
      if (result === "failed") await this.#rest();
      else if (result.type === "conflict") standing = result.standing;
      else {
        this.#confirm(result.epoch, standing);
        standing = await this.#hold(result.epoch);
      }
    }
  }

  /** Undefined where the row may be written at once. */
  #takenBy(standing: Standing): { readonly act: "wait" | "yield"; readonly by: HomeFields | undefined } | undefined {
    const { kind, key, fields, ifTaken, takesFrom } = this.wish;
    const claimant: Claimant = { kind, wanted: fields, isHolding: this.#isHolding, takesFrom, ifTaken };
    const { act } = judgeClaim(claimant, standing);
    if (act !== "write") return { act, by: standing === "unreadable" ? undefined : standing };
    const heard = this.#isHolding || standing !== undefined ? undefined : this.#ports.heard(kind, key);
    if (heard === undefined || (kind === "stream" && heard.publication === fields.publication)) return undefined;
    return { act: ifTaken, by: heard };
  }

  async #write(standing: Standing): Promise<Written> {
    const { engine, clock, timings, view } = this.#ports;
    const { kind, key, fields } = this.wish;
    const lease = this.#ports.lease();
    if (view.isStale && view.wasCurrent) this.#unconfirmed();
    this.#askedAt ??= clock.now();
    const patience = Math.max(0, this.#askedAt + timings.confirmWithin - clock.now()) as Millis;
    const late = clock.after(patience, () => this.#unconfirmed());
    try {
      if (lease === undefined) return await this.#wake().then(() => "failed" as const);
      const expected = standing === undefined || standing === "unreadable" ? "absent" : standing.epoch;
      const result = await engine.cas(keyOfHome(kind, key), expected, encodeHomeRow(fields), { lease });
      if (result.outcome === "conflict") return { type: "conflict", standing: this.#read(result.current) };
      this.#lease = lease;
      return { type: "written", epoch: result.revision };
    } catch (error) {
      if (!(error instanceof EngineLeaseLostError)) this.#unconfirmed();
      return "failed";
    } finally {
      late.cancel();
    }
  }

  #confirm(epoch: Epoch, standing: Standing): void {
    if (this.#isOver) return;
    const last = "epoch" in this.#state ? this.#state.epoch : undefined;
    const isSame = last !== undefined && typeof standing === "object" && compareEpochs(standing.epoch, last) === 0;
    this.#backoff.reset();
    this.#wasDeleted = false;
    this.#isResuming = false;
    this.#askedAt = undefined;
    this.#set({ at: "confirmed", epoch, since: isSame ? "resumed" : "claimed" });
  }

  /** Waits until the lease, the row or the owner's intention changes. @returns the row that exists then */
  async #hold(epoch: Epoch): Promise<Standing> {
    const { kind, key, fields } = this.wish;
    const own: HomeRow = { ...fields, kind, key, epoch };
    while (!this.#isOver && !this.#isResuming) {
      const row = this.#ports.view.findHome(kind, key);
      if (row !== undefined && compareEpochs(row.epoch, epoch) > 0) return row;
      if (this.#state.at === "frozen") {
        await this.#wake(); // the other node writes the row
        continue;
      }
      if (this.#ports.lease() !== this.#lease) {
        this.#set(kind === "stream" ? { at: "provisional" } : { at: "paused", epoch });
        return own;
      }
      if (!this.#wasDeleted) {
        await this.#wake();
        continue;
      }
      this.#wasDeleted = false;
      const standing = await this.#reread(own);
      if (standing !== own) return standing;
    }
    return own;
  }

  /** The row was reported as deleted, possibly an earlier one. @returns `own` if it exists, or if the engine cannot answer */
  async #reread(own: HomeRow): Promise<Standing> {
    try {
      const standing = this.#read(await this.#ports.engine.get(keyOfHome(own.kind, own.key)));
      return typeof standing === "object" && compareEpochs(standing.epoch, own.epoch) === 0 ? own : standing;
    } catch {
      return own;
    }
  }

  /** The engine does not confirm: a stream goes on provisionally, an object waits. */
  #unconfirmed(): void {
    if (this.#state.at !== "claiming") return;
    if (this.wish.kind === "stream") this.#set({ at: "provisional" });
    else this.#set({ at: "claiming", why: "unavailable", by: undefined });
  }

  /** Deletes the row of a released claim; a lost claim has no row. */
  async #clear(): Promise<void> {
    const { engine, lease } = this.#ports;
    const { kind, key, fields } = this.wish;
    while (this.#state.at === "released" && lease() !== undefined) {
      try {
        const standing = this.#read(await engine.get(keyOfHome(kind, key)));
        if (typeof standing !== "object") return;
        if (standing.home !== fields.home || standing.incarnation !== fields.incarnation) return;
        if ((await engine.remove(keyOfHome(kind, key), standing.epoch)).outcome === "written") return;
      } catch {
        await this.#rest();
      }
    }
  }

  #read(entry: Entry | undefined): Standing {
    const { kind, key } = this.wish;
    return entry === undefined ? undefined : (decodeHomeRow(kind, key, entry) ?? "unreadable");
  }

  async #rest(): Promise<void> {
    await this.#ports.clock.sleep(this.#backoff.next(), new AbortController().signal);
  }

  async #wake(): Promise<void> {
    await this.#woken.promise;
    this.#woken = Promise.withResolvers<void>();
  }

  #set(state: ClaimState): void {
    if (this.#isOver) return;
    const before = this.#state;
    this.#state = state;
    if (before.at === "claiming" && state.at === "claiming" && before.why === state.why) return;
    this.#ports.changed(this);
    for (const listener of this.#listeners) listener(state);
  }
}
