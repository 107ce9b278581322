/** Numbers and names of the replicated log. */
import type { Brand } from "@sluice/base/brand";

/** Fixed for the whole life of a member's data. */
export type MemberId = Brand<string, "MemberId">;

/** From 1; increases with every election. 0 before the first. */
export type Term = Brand<number, "Term">;

/** Position in the log, from 1 without gaps. 0 before the first record. */
export type LogIndex = Brand<number, "LogIndex">;
