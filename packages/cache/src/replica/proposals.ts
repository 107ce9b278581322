/** Proposals that a leader has to answer: waiting to be applied, then waiting for their acknowledgement level. */
import type { LogIndex } from "../ids.ts";
import type { AckLevel, ProposalAnswer, ProposalId } from "./replica-output.ts";

interface Proposal {
  readonly token: ProposalId;
  readonly index: LogIndex;
  readonly level: AckLevel;
  readonly type: "operation" | "members";
}

interface Applied<Answer> extends Proposal {
  readonly answer: Answer;
}

/** Progress of the members. */
export interface LevelReach {
  /** Up to here a majority has synced. */
  readonly synced: LogIndex;
  /** Members besides the leader that hold everything up to `index`. */
  holdersOf(index: LogIndex): number;
}

export class Proposals<Answer> {
  readonly #waiting: Proposal[] = [];
  #waitingAt = 0;
  #applied: Applied<Answer>[] = [];
  #ready: ProposalAnswer<Answer>[] = [];

  get count(): number {
    return this.#waiting.length - this.#waitingAt + this.#applied.length + this.#ready.length;
  }

  add(proposal: Proposal): void {
    this.#waiting.push(proposal);
  }

  /** Called for every committed record, in order. @param answer  `undefined` for records other than operations */
  applied(index: LogIndex, answer: Answer | undefined): void {
    const proposal = this.#waiting[this.#waitingAt];
    if (proposal?.index !== index) return;
    this.#shiftWaiting();
    const { token, level } = proposal;
    if (proposal.type === "members") this.#ready.push({ token, outcome: "members-changed", index });
    else if (level.type === "memory" || level.type === "quorum")
      this.#ready.push({ token, outcome: "done", answer: answer as Answer, index, level });
    else this.#applied.push({ ...proposal, answer: answer as Answer });
  }

  /** Moves proposals that have reached their level to the ready ones. */
  reach(reach: LevelReach): void {
    if (this.#applied.length === 0) return;
    const still: Applied<Answer>[] = [];
    for (const applied of this.#applied) {
      const { token, answer, index, level } = applied;
      if (isReached(applied, reach)) this.#ready.push({ token, outcome: "done", answer, index, level });
      else still.push(applied);
    }
    this.#applied = still;
  }

  /** Answers that are ready; the caller must have checked that it may still answer. */
  takeReady(): readonly ProposalAnswer<Answer>[] {
    const ready = this.#ready;
    if (ready.length > 0) this.#ready = [];
    return ready;
  }

  /** Ends everything not answered. */
  abandon(): readonly ProposalAnswer<Answer>[] {
    const open = [...this.#ready, ...this.#applied, ...this.#waiting.slice(this.#waitingAt)];
    this.#waiting.length = 0;
    this.#waitingAt = 0;
    this.#applied = [];
    this.#ready = [];
    return open.map(({ token }) => ({ token, outcome: "unknown-outcome" }));
  }

  #shiftWaiting(): void {
    this.#waitingAt++;
    if (this.#waitingAt < 1_024 || this.#waitingAt * 2 < this.#waiting.length) return;
    this.#waiting.splice(0, this.#waitingAt);
    this.#waitingAt = 0;
  }
}

function isReached({ level, index }: Proposal, reach: LevelReach): boolean {
  switch (level.type) {
    case "memory":
    case "quorum":
      return true;
    case "quorum+fsync":
      return reach.synced >= index;
    case "replicas":
      return reach.holdersOf(index) >= level.count;
  }
}
