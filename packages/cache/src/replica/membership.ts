/** The member list in force at each index of the log after the snapshot. */
import type { LogIndex, MemberId } from "../ids.ts";
import { type MemberList, votersOf } from "./members.ts";

interface Step {
  readonly index: LogIndex;
  readonly members: MemberList;
}

/** The newest list in the log is in force, committed or not; if it is truncated, the previous one is in force again. */
export class Membership {
  #steps: Step[];
  #voters: readonly MemberId[];

  constructor(index: LogIndex, members: MemberList) {
    this.#steps = [{ index, members }];
    this.#voters = votersOf(members);
  }

  get members(): MemberList {
    return this.#newest.members;
  }

  /** Index of the record with the list. */
  get index(): LogIndex {
    return this.#newest.index;
  }

  get voters(): readonly MemberId[] {
    return this.#voters;
  }

  isMember(id: MemberId): boolean {
    return this.members.some((member) => member.id === id);
  }

  isVoter(id: MemberId): boolean {
    return this.#voters.includes(id);
  }

  /** The list in force when `index` was the last. */
  at(index: LogIndex): MemberList {
    return (this.#steps.findLast((step) => step.index <= index) ?? this.#oldest).members;
  }

  /** Index of the first list after `synced`: a list that is not on disk may not count yet. */
  firstAfter(synced: LogIndex): LogIndex | undefined {
    return this.#steps.find((step) => step.index > synced)?.index;
  }

  append(index: LogIndex, members: MemberList): void {
    this.#steps.push({ index, members });
    this.#voters = votersOf(members);
  }

  /** @returns whether the list in force changed */
  truncateFrom(index: LogIndex): boolean {
    const kept = this.#steps.filter((step, at) => at === 0 || step.index < index);
    const isChanged = kept.length < this.#steps.length;
    this.#steps = kept;
    this.#voters = votersOf(this.members);
    return isChanged;
  }

  compact(index: LogIndex): void {
    const at = this.#steps.findLastIndex((step) => step.index <= index);
    if (at > 0) this.#steps.splice(0, at);
  }

  get #oldest(): Step {
    return this.#steps[0] as Step;
  }

  get #newest(): Step {
    return this.#steps.at(-1) as Step;
  }
}
