/** This node's time as the home of one object: from the claim, through the take-over and the hand-over, to its end. */
import type { Timer } from "@sluice/base/clock";
import { compareEpochs, type Epoch } from "@sluice/engine/epoch";
import { DurableRow } from "./durable-row.ts";
import { Home } from "./home.ts";
import { HomeReplicas } from "./home-replicas.ts";
import type { ObjectCopy } from "./object-copy.ts";
import type { Snapshot } from "./object-state.ts";
import type { Claim, ClaimState, ObjectPorts } from "./ports.ts";
import { comparePositions } from "./position.ts";
import { TakeOver } from "./take-over.ts";
import type { TakeOverMessage } from "./wire/object-message.ts";

export type HomeRole = "claiming" | "taking-over" | "home" | "handing-over";

/** What becomes of a hand-over. `kept`: this node is the home still, and `detail` says why. */
export type HandOverResult = { readonly type: "moved" } | { readonly type: "kept"; readonly detail: string };

export interface HomeTenureOptions extends ObjectPorts {
  readonly path: string;
  readonly copy: ObjectCopy;
  /** There is a `home`, or it has another epoch. */
  readonly opened: () => void;
  /** Somebody else is home, or nobody. */
  readonly ended: () => void;
}

/** What the engine's row takes beside the properties: positions, epochs, lengths. */
const ROW_OVERHEAD = 1_024;

interface Giver {
  readonly node: string;
  readonly epoch: Epoch;
}

interface HandingOver {
  readonly node: string;
  readonly epoch: Epoch;
  readonly timer: Timer;
  readonly resolve: (result: HandOverResult) => void;
}

export class HomeTenure implements Disposable {
  readonly #options: HomeTenureOptions;
  readonly #claim: Claim;
  #watch: Disposable | undefined;
  #row: DurableRow | undefined;
  #takeOver: TakeOver | undefined;
  #home: Home | undefined;
  #handing: HandingOver | undefined;
  /** Who handed over, and waits to hear that it is done. */
  #giver: Giver | undefined;
  #isEnded = false;

  /** @param giver  the home that hands over, and its epoch */
  constructor(options: HomeTenureOptions, giver?: Giver) {
    this.#options = options;
    this.#giver = giver;
    const wish = { ifTaken: "yield" as const, ...(giver !== undefined && { takesFrom: giver.epoch }) };
    this.#claim = options.ownership.claim(options.path, wish);
  }

  get role(): HomeRole {
    if (this.#handing !== undefined) return "handing-over";
    if (this.#home !== undefined) return "home";
    return this.#claim.state.at === "confirmed" ? "taking-over" : "claiming";
  }

  /** Undefined until all that others have is known. */
  get home(): Home | undefined {
    return this.#home;
  }

  /** It must not be given up for want of users just now. */
  get isChanging(): boolean {
    return this.role !== "home";
  }

  start(): void {
    this.#watch = this.#claim.onChange((state) => this.#claimChanged(state));
    this.#claimChanged(this.#claim.state);
  }

  linkUp(): void {
    this.#home?.replicas.chooseStandby();
  }

  linkDown(node: string): void {
    this.#takeOver?.linkDown(node);
    this.#home?.replicas.detach(node);
    if (this.#handing?.node === node) this.#keep("the link was lost");
  }

  receive(from: string, message: TakeOverMessage): void {
    const { epoch } = message;
    if (message.type === "handed") return this.#handed(from, message);
    if (this.#takeOver === undefined || compareEpochs(epoch, this.#takeOver.epoch) !== 0) return;
    if (message.type === "standing") this.#takeOver.standing(from, message.position);
    else if (message.type === "copy") this.#takeOver.copy(from, message);
  }

  /** Freezes, sends everything, and waits until the other has claimed the row. */
  handOver(node: string): Promise<HandOverResult> {
    const { nodes, clock, timings, path, copy, send } = this.#options;
    const kept = (detail: string): Promise<HandOverResult> => Promise.resolve({ type: "kept", detail });
    if (this.#home === undefined || this.#handing !== undefined) return kept("not the home");
    if (!nodes().includes(node)) return kept("not linked");
    const epoch = this.#claim.freeze();
    if (epoch === undefined) return kept("the lease is in doubt");
    this.#home.freeze();
    return new Promise((resolve) => {
      const timer = clock.after(timings.handOver, () => this.#keep("no answer"));
      this.#handing = { node, epoch, timer, resolve };
      send(node, { type: "hand-over", path, epoch, ...copy.whole() });
    });
  }

  /** All that is acknowledged later, or not at all, is in the engine as far as it can be reached. */
  async flush(): Promise<void> {
    if (this.#home !== undefined) await this.#row?.flush();
  }

  /** The same, as long as a writer would wait. */
  async flushInTime(): Promise<void> {
    const { clock, timings } = this.#options;
    const patience = new AbortController();
    await Promise.race([this.flush(), clock.sleep(timings.holdWrites, patience.signal).catch(() => undefined)]);
    patience.abort();
  }

  [Symbol.dispose](): void {
    this.#isEnded = true;
    this.#tellGiver(false);
    this.#watch?.[Symbol.dispose]();
    this.#handing?.timer.cancel();
    this.#handing = undefined;
    this.#takeOver?.[Symbol.dispose]();
    this.#row?.[Symbol.dispose]();
    this.#home?.[Symbol.dispose]();
    this.#claim.release();
  }

  #claimChanged(state: ClaimState): void {
    if (this.#isEnded) return;
    switch (state.at) {
      case "confirmed":
        if (state.since === "resumed" && this.#home !== undefined) return this.#resumed(state.epoch);
        return this.#take(state.epoch);
      case "lost":
      case "released":
        return this.#end();
      default:
    }
  }

  /** Nobody else was home since the last epoch: the order goes on. */
  #resumed(epoch: Epoch): void {
    this.#row?.raise(epoch);
    this.#home?.raise(epoch);
    this.#options.opened();
  }

  #take(epoch: Epoch): void {
    this.#takeOver?.[Symbol.dispose]();
    this.#home?.[Symbol.dispose]();
    this.#home = undefined;
    this.#row?.[Symbol.dispose]();
    const { copy } = this.#options;
    const row = new DurableRow({
      ...this.#options,
      engine: this.#options.engine(),
      epoch,
      state: copy.state,
      changed: () => this.#home?.settle(),
    });
    this.#row = row;
    void row.open().then((standing) => {
      if (this.#row !== row || this.#isEnded) return;
      if (row.isDeposed) this.#end();
      else this.#inquire(epoch, standing);
    });
  }

  #inquire(epoch: Epoch, standing: Snapshot | undefined): void {
    const { copy, nodes } = this.#options;
    const isEmpty = copy.state.durability === undefined;
    const isRowBest = standing !== undefined && comparePositions(standing.at, copy.at) > 0;
    this.#takeOver = new TakeOver({
      ...this.#options,
      epoch,
      nodes: nodes(),
      own: isRowBest ? standing.at : copy.at,
      done: (found) => {
        if (found !== undefined) copy.adopt(found.snapshot, found.history);
        else if (isRowBest) copy.adopt(standing);
        this.#note(epoch, found === undefined && isEmpty);
        this.#open(epoch);
      },
    });
    this.#takeOver.start();
  }

  /** @param isAlone  no node had a copy */
  #note(epoch: Epoch, isAlone: boolean): void {
    const { path, copy, notice } = this.#options;
    if (copy.state.durability === undefined) return;
    if (this.#giver !== undefined) notice?.({ type: "moved", path, from: this.#giver.node });
    else notice?.(isAlone ? { type: "restored", path } : { type: "taken-over", path, epoch });
  }

  #open(epoch: Epoch): void {
    const { path, guard, limits, timings, ownership, nodes, clock, copy, engine } = this.#options;
    const row = this.#row as DurableRow;
    const isLinked = (node: string): boolean => nodes().includes(node);
    const replicas: HomeReplicas = new HomeReplicas({
      ...this.#options,
      epoch: () => this.#home?.epoch ?? epoch,
      chooseStandby: (except) => {
        const unlinked = except.filter(isLinked);
        const node = ownership.place(path, [ownership.self, ...unlinked]);
        return node !== undefined && isLinked(node) ? node : undefined;
      },
      changed: () => this.#home?.settle(),
    });
    const rowBytes = engine().capabilities().maxValueBytes - ROW_OVERHEAD;
    const rules = {
      path,
      guard,
      limits,
      objectBytes: Math.min(limits.objectBytes, rowBytes),
      longestLock: timings.longestLock,
    };
    this.#home = new Home({
      epoch,
      copy,
      claim: this.#claim,
      replicas,
      row,
      rules,
      clock,
      lockDoubt: timings.lockDoubt,
      created: () => this.#options.notice?.({ type: "created", path }),
      confirmedAt: () => ownership.confirmedAt(),
    });
    this.#takeOver = undefined;
    row.touch();
    this.#tellGiver(true);
    this.#options.opened();
  }

  #handed(from: string, { epoch, isTaken }: TakeOverMessage & { readonly type: "handed" }): void {
    const handing = this.#handing;
    if (handing === undefined || handing.node !== from || compareEpochs(handing.epoch, epoch) !== 0) return;
    if (!isTaken) return this.#keep("refused");
    handing.timer.cancel();
    this.#handing = undefined;
    handing.resolve({ type: "moved" });
    this.#end();
  }

  /** The claim says whether this node is the home still. */
  #keep(detail: string): void {
    const handing = this.#handing;
    if (handing === undefined) return;
    handing.timer.cancel();
    this.#handing = undefined;
    handing.resolve({ type: "kept", detail });
    this.#claim.resume();
  }

  #tellGiver(isTaken: boolean): void {
    if (this.#giver === undefined) return;
    const { node, epoch } = this.#giver;
    this.#giver = undefined;
    this.#options.send(node, { type: "handed", path: this.#options.path, epoch, isTaken });
  }

  #end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const handing = this.#handing;
    this.#handing = undefined;
    handing?.timer.cancel();
    handing?.resolve({ type: "moved" });
    this.#options.ended();
  }
}
