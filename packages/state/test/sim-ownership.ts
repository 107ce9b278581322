/** The directory of a simulated cluster: rows, epochs and leases, each node's view of them, and what a pause does to both. */
import type { Millis } from "@sluice/base/brand";
import { compareEpochs, type Epoch } from "@sluice/engine/epoch";
import type { Claim, ClaimState, ClaimWish, Ownership } from "@sluice/state/ports";
import type { FakeClock } from "@sluice/testkit/fake-clock";
import type { SimClock } from "@sluice/testkit/sim-clock";

const LEASE = 3_000;
const RENEWAL = 500 as Millis;
const DELAY = 2 as Millis;

interface Row {
  readonly node: string;
  readonly life: number;
  readonly lease: number;
  readonly epoch: Epoch;
}

/** What the engine keeps. A node that is cut off reaches it not, and hears nothing. */
export class SimDirectory {
  readonly clock: FakeClock;
  readonly rows = new Map<string, Row>();
  readonly cutOff = new Set<string>();
  readonly views = new Set<SimOwnership>();
  readonly #leases = new Map<number, number>();
  #number = 0;

  constructor(clock: FakeClock) {
    this.clock = clock;
  }

  grant(): number {
    const token = ++this.#number;
    this.#expireLater(token);
    return token;
  }

  renew(token: number): boolean {
    if (!this.#leases.has(token)) return false;
    this.#expireLater(token);
    return true;
  }

  release(token: number): void {
    this.#leases.delete(token);
    for (const [path, row] of this.rows) if (row.lease === token) this.set(path, undefined);
  }

  cas(
    path: string,
    expected: Epoch | undefined,
    row: Omit<Row, "epoch">,
  ): Row | "lease-gone" | { readonly current: Row | undefined } {
    const current = this.rows.get(path);
    if (!this.#leases.has(row.lease)) return "lease-gone";
    const isAsExpected =
      current === undefined
        ? expected === undefined
        : expected !== undefined && compareEpochs(current.epoch, expected) === 0;
    if (!isAsExpected) return { current };
    const written = { ...row, epoch: { generation: 1, number: ++this.#number } };
    this.set(path, written);
    return written;
  }

  set(path: string, row: Row | undefined): void {
    if (row === undefined) this.rows.delete(path);
    else this.rows.set(path, row);
    for (const view of this.views) if (!this.cutOff.has(view.self)) view.hear(path, row);
  }

  heal(node: string): void {
    this.cutOff.delete(node);
    for (const view of this.views) if (view.self === node) view.hearAll(this.rows);
  }

  #expireLater(token: number): void {
    const expiresAt = this.clock.now() + LEASE + 1;
    this.#leases.set(token, expiresAt);
    this.clock.after((LEASE + 1) as Millis, () => {
      if (this.#leases.get(token) === expiresAt) this.release(token);
    });
  }
}

export interface SimOwnershipOptions {
  readonly self: string;
  readonly life: number;
  readonly clock: SimClock;
  readonly directory: SimDirectory;
  /** In the order in which objects belong to them. */
  readonly origins: () => readonly string[];
  /** A planted fault: leases never run out, as far as this node thinks. */
  readonly ignoresLease: boolean;
}

export class SimOwnership implements Ownership {
  readonly self: string;
  readonly mayBeHome = true;
  readonly options: SimOwnershipOptions;
  lease: number | undefined;
  readonly #rows = new Map<string, Row>();
  readonly #listeners = new Set<(path: string) => void>();
  readonly #claims = new Map<string, SimClaim>();
  #confirmedAt: Millis | undefined;

  constructor(options: SimOwnershipOptions) {
    this.options = options;
    this.self = options.self;
    const { directory } = options;
    directory.views.add(this);
    if (!directory.cutOff.has(this.self)) this.hearAll(directory.rows);
    this.#keepLease();
  }

  get isLeaseGood(): boolean {
    if (this.options.ignoresLease) return true;
    return this.#confirmedAt !== undefined && this.options.clock.now() < this.#confirmedAt + LEASE;
  }

  confirmedAt(): Millis | undefined {
    return this.options.ignoresLease ? this.options.clock.now() : this.#confirmedAt;
  }

  findRow(path: string): Row | undefined {
    return this.#rows.get(path);
  }

  findHome(path: string): { readonly node: string; readonly epoch: Epoch } | undefined {
    return this.#rows.get(path);
  }

  place(_path: string, except: readonly string[]): string | undefined {
    return this.options.origins().find((node) => !except.includes(node));
  }

  claim(path: string, wish: ClaimWish): Claim {
    const claim = new SimClaim(path, wish, this);
    this.#claims.set(path, claim);
    return claim;
  }

  onChange(listener: (path: string) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  hear(path: string, row: Row | undefined): void {
    this.options.directory.clock.after(DELAY, () =>
      this.options.clock.run(() => {
        if (row === undefined) this.#rows.delete(path);
        else this.#rows.set(path, row);
        this.#claims.get(path)?.poke();
        for (const listener of this.#listeners) listener(path);
      }),
    );
  }

  hearAll(rows: ReadonlyMap<string, Row>): void {
    for (const path of new Set([...this.#rows.keys(), ...rows.keys()])) this.hear(path, rows.get(path));
  }

  /** Asks the directory; the answer never comes while the way is cut, and after a pause at the earliest. */
  ask<T>(question: () => T, answered: (answer: T | "unreachable") => void): void {
    const { directory, clock } = this.options;
    const isCut = directory.cutOff.has(this.self);
    const answer = isCut ? ("unreachable" as const) : question();
    clock.after(DELAY, () => answered(directory.cutOff.has(this.self) ? "unreachable" : answer));
  }

  #keepLease(): void {
    const { clock, directory } = this.options;
    const sent = clock.now();
    const { lease } = this;
    const question = (): number | undefined => {
      if (lease === undefined) return directory.grant();
      return directory.renew(lease) ? lease : undefined;
    };
    this.ask(question, (answer) => {
      if (answer === undefined) this.#setLease(undefined);
      else if (answer !== "unreachable") {
        this.#confirmedAt = sent;
        this.#setLease(answer);
      }
    });
    clock.after(RENEWAL, () => this.#keepLease());
  }

  #setLease(lease: number | undefined): void {
    if (this.lease === lease) return;
    this.lease = lease;
    for (const claim of this.#claims.values()) claim.poke();
  }
}

class SimClaim implements Claim {
  readonly #path: string;
  readonly #wish: ClaimWish;
  readonly #ownership: SimOwnership;
  readonly #listeners = new Set<(state: ClaimState) => void>();
  state: ClaimState = { at: "claiming" };
  #lease: number | undefined;
  #epoch: Epoch | undefined;
  #isAsking = false;

  constructor(path: string, wish: ClaimWish, ownership: SimOwnership) {
    this.#path = path;
    this.#wish = wish;
    this.#ownership = ownership;
    this.#write(ownership.findRow(path));
  }

  get mayAcknowledge(): boolean {
    if (this.state.at !== "confirmed") return false;
    return (
      this.#ownership.isLeaseGood && (this.#ownership.options.ignoresLease || this.#ownership.lease === this.#lease)
    );
  }

  onChange(listener: (state: ClaimState) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  freeze(): Epoch | undefined {
    if (!this.mayAcknowledge) return undefined;
    this.#set({ at: "frozen" });
    return this.#epoch;
  }

  resume(): void {
    if (this.state.at === "frozen") this.#write(this.#ownership.findRow(this.#path));
  }

  release(): void {
    if (this.#isOver) return;
    this.#set({ at: "released" });
    this.#removeRow();
  }

  poke(): void {
    if (this.#isOver || this.#isAsking) return;
    const row = this.#ownership.findRow(this.#path);
    const isHolding = this.state.at === "confirmed" || this.state.at === "frozen";
    if (isHolding && row !== undefined && this.#epoch !== undefined && compareEpochs(row.epoch, this.#epoch) > 0) {
      return this.#set({ at: "lost" });
    }
    if (this.state.at === "confirmed" && this.#ownership.lease !== this.#lease) this.#set({ at: "paused" });
    if (this.state.at === "paused" || this.state.at === "claiming") this.#write(row);
  }

  get #isOver(): boolean {
    return this.state.at === "lost" || this.state.at === "released";
  }

  #write(standing: Row | undefined): void {
    const { lease, self, options } = this.#ownership;
    if (lease === undefined || this.#isAsking) return;
    if (standing !== undefined && !this.#mayReplace(standing)) return this.#set({ at: "lost" });
    this.#isAsking = true;
    const row = { node: self, life: options.life, lease };
    const question = () => options.directory.cas(this.#path, standing?.epoch, row);
    this.#ownership.ask(question, (answer) => {
      this.#isAsking = false;
      if (this.state.at === "released") this.#removeRow();
      if (this.#isOver) return;
      if (answer === "unreachable") void options.clock.after(50 as Millis, () => this.poke());
      else if (answer === "lease-gone") this.poke();
      else if ("current" in answer) this.#write(answer.current);
      else this.#confirm(answer.epoch, lease, standing);
    });
  }

  #confirm(epoch: Epoch, lease: number, standing: Row | undefined): void {
    const isSame =
      this.#epoch !== undefined && standing !== undefined && compareEpochs(standing.epoch, this.#epoch) === 0;
    this.#epoch = epoch;
    this.#lease = lease;
    this.#set({ at: "confirmed", epoch, since: isSame ? "resumed" : "claimed" });
  }

  #mayReplace(standing: Row): boolean {
    const { self, options } = this.#ownership;
    if (standing.node === self && standing.life === options.life) return true;
    return (
      this.#epoch === undefined &&
      this.#wish.takesFrom !== undefined &&
      compareEpochs(standing.epoch, this.#wish.takesFrom) === 0
    );
  }

  #removeRow(): void {
    const { self, options } = this.#ownership;
    const { directory } = options;
    this.#ownership.ask(
      () => {
        const row = directory.rows.get(this.#path);
        if (row?.node === self && row.life === options.life) directory.set(this.#path, undefined);
      },
      () => {},
    );
  }

  #set(state: ClaimState): void {
    this.state = state;
    for (const listener of this.#listeners) listener(state);
  }
}
