/** One attempt to become leader: a pre-vote that changes nothing, then the vote. */
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
   * The vote of a member that may have lost confirmed records proves nothing, unless all members vote: then a member that
   * still has the record is among them, and refuses a candidate without it.
   */
  isWon(voters: readonly MemberId[]): boolean {
    const grants = voters.map((voter) => this.#grants.get(voter));
    const sureCount = grants.filter((grant) => grant === "sure").length;
    return sureCount >= majorityOf(voters.length) || grants.every((grant) => grant !== undefined);
  }
}
