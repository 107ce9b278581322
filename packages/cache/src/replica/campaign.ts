/** One try to become leader: first asked without consequence, then voted. */
import type { MemberId } from "../ids.ts";
import type { VoteReply } from "./member-message.ts";
import { majorityOf } from "./members.ts";

export class Campaign {
  readonly stage: "ask" | "vote";
  /** The leader asked for it. */
  readonly isTakeOver: boolean;
  readonly #grants = new Map<MemberId, "sure" | "recovering">();

  constructor(stage: "ask" | "vote", isTakeOver: boolean) {
    this.stage = stage;
    this.isTakeOver = isTakeOver;
  }

  grant(from: MemberId, { isRecovering }: Pick<VoteReply, "isRecovering">): void {
    this.#grants.set(from, isRecovering ? "recovering" : "sure");
  }

  /**
   * A member that may have lost what it confirmed proves nothing by its vote, unless everybody votes: then whoever
   * still has the record is among them, and would have refused a candidate without it.
   */
  isWon(voters: readonly MemberId[]): boolean {
    const grants = voters.map((voter) => this.#grants.get(voter));
    const sureCount = grants.filter((grant) => grant === "sure").length;
    return sureCount >= majorityOf(voters.length) || grants.every((grant) => grant !== undefined);
  }
}
