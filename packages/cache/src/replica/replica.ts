/** One member of a replicated log: elections, replication, commit and applying, without clock, disk or network. */
import type { Millis } from "@sluice/base/brand";
import type { MemberId } from "../ids.ts";
import type { MemberMessage } from "./member-message.ts";
import type { MemberChange } from "./members.ts";
import type { ReplicaOutput, StoreToken } from "./replica-output.ts";
import type {
  ChangeResult,
  ProposeOptions,
  ProposeResult,
  ReadResult,
  ReplicaOptions,
  ReplicaStatus,
  SwitchOverResult,
} from "./replica-options.ts";
import type { LogIndex } from "../ids.ts";

/**
 * The shell calls a method for whatever happened, then takes outputs until there are none, and calls `tick` no later
 * than `deadline()`. All times are of one monotonic clock and never go back.
 */
export class Replica<Answer> {
  constructor(_options: ReplicaOptions<Answer>) {
    throw new Error("not yet");
  }
  /** A whole message of another member, known to be from it. The replica keeps views of it. */
  receive(_from: MemberId, _message: MemberMessage, _now: Millis): void {}
  tick(_now: Millis): void {}
  /** When `tick` is wanted next. */
  deadline(): Millis {
    return 0 as Millis;
  }
  /** @param operation  belongs to the replica from now on; @param wall  wall clock */
  propose(_operation: Uint8Array, _options: ProposeOptions, _now: Millis, _wall: Millis): ProposeResult {
    return { refused: "overloaded" };
  }
  /** Linearizable reads: `granted` at once while the lease holds, else after a round to a majority. */
  readBarrier(_now: Millis): ReadResult {
    return { refused: "overloaded" };
  }
  changeMembers(_change: MemberChange, _now: Millis, _wall: Millis): ChangeResult {
    return { refused: "overloaded" };
  }
  switchOver(_to: MemberId, _now: Millis): SwitchOverResult {
    return { refused: "overloaded" };
  }
  stored(_token: StoreToken, _now: Millis): void {}
  snapshotStored(_index: LogIndex, _now: Millis): void {}
  /** The disk failed: ends everything, answers what waits with `unknown-outcome`; `role` becomes `halted`. */
  halt(_now: Millis): void {}
  nextOutput(): ReplicaOutput<Answer> | undefined {
    return undefined;
  }
  status(_now: Millis): ReplicaStatus {
    throw new Error("not yet");
  }
}
