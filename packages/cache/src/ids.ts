/** Numbers and names of the replicated log. */
import type { Brand } from "@sluice/base/brand";

/** Of one member, for the whole life of its data. */
export type MemberId = Brand<string, "MemberId">;

/** From 1; rises with every election. 0 before the first. */
export type Term = Brand<number, "Term">;

/** Place in the log, from 1 without holes. 0 before the first record. */
export type LogIndex = Brand<number, "LogIndex">;
