/** Member messages and the bytes that stand for them. */
import type { Millis } from "@sluice/base/brand";
import type { LogIndex, MemberId, Term } from "@sluice/cache/ids";
import type { LogRecord, SnapshotMeta } from "@sluice/cache/replica/log-record";
import type { Incarnation, MemberMessage } from "@sluice/cache/replica/member-message";

const term = (value: number): Term => value as Term;
const index = (value: number): LogIndex => value as LogIndex;
const millis = (value: number): Millis => value as Millis;

export const RECORD: LogRecord = {
  index: index(8),
  term: term(2),
  time: millis(1_000),
  type: "operation",
  body: Uint8Array.of(1, 2, 3),
};
export const RECORD_BYTES = "0000000000000008 0000000000000002 408f400000000000 01 00000003 010203";

export const META: SnapshotMeta = {
  index: index(7),
  term: term(2),
  time: millis(500),
  members: [
    { id: "a" as MemberId, role: "voter", address: "h:1" },
    { id: "b" as MemberId, role: "learner", address: "" },
  ],
};
export const META_BYTES = "0000000000000007 0000000000000002 407f400000000000 02 01 01 61 0003 683a31 00 01 62 0000";

const sentAt = millis(2);
const SENT_AT = "4000000000000000";
const incarnation = 0xdeadbeef as Incarnation;

export const MESSAGES: readonly {
  readonly rule: string;
  readonly says: string;
  readonly bytes: string;
  readonly value: MemberMessage;
}[] = [
  {
    rule: "REP60",
    says: "asks whether it would be elected",
    bytes: "01 0000000000000003 00 0000000000000008 0000000000000002 00",
    value: {
      type: "vote-request",
      term: term(3),
      stage: "ask",
      lastIndex: index(8),
      lastTerm: term(2),
      isTakeOver: false,
    },
  },
  {
    rule: "REP60",
    says: "asks for a vote to take over, at the highest term",
    bytes: "01 001fffffffffffff 01 0000000100000000 0000000000000002 01",
    value: {
      type: "vote-request",
      term: term(Number.MAX_SAFE_INTEGER),
      stage: "vote",
      lastIndex: index(2 ** 32),
      lastTerm: term(2),
      isTakeOver: true,
    },
  },
  {
    rule: "REP60",
    says: "grants, though it recovers",
    bytes: "02 0000000000000003 01 01 01",
    value: { type: "vote-reply", term: term(3), stage: "vote", isGranted: true, isRecovering: true },
  },
  {
    rule: "REP60",
    says: "a heartbeat",
    bytes: `03 0000000000000003 0000000000000009 ${SENT_AT} 0000000000000007 0000000000000002 0000000000000006
      0000000000000007 0000000000000000 00000000`,
    value: {
      type: "append",
      term: term(3),
      round: 9,
      sentAt,
      previousIndex: index(7),
      previousTerm: term(2),
      commit: index(6),
      lastIndex: index(7),
      syncTo: index(0),
      records: [],
    },
  },
  {
    rule: "REP60",
    says: "an operation and a member list",
    bytes: `03 0000000000000003 000000000000000a ${SENT_AT} 0000000000000007 0000000000000002 0000000000000007
      0000000000000009 0000000000000008 00000002 ${RECORD_BYTES}
      0000000000000009 0000000000000003 408f400000000000 02 00000006 01 00 01 62 0000`,
    value: {
      type: "append",
      term: term(3),
      round: 10,
      sentAt,
      previousIndex: index(7),
      previousTerm: term(2),
      commit: index(7),
      lastIndex: index(9),
      syncTo: index(8),
      records: [
        RECORD,
        {
          index: index(9),
          term: term(3),
          time: millis(1_000),
          type: "members",
          body: Uint8Array.of(1, 0, 1, 0x62, 0, 0),
        },
      ],
    },
  },
  {
    rule: "REP60",
    says: "does not match, and says where to try",
    bytes: `04 0000000000000003 000000000000000a ${SENT_AT} 00 0000000000000001 0000000000000000 0000000000000005 deadbeef`,
    value: {
      type: "append-reply",
      term: term(3),
      round: 10,
      sentAt,
      isMatch: false,
      held: index(1),
      synced: index(0),
      tryAfter: index(5),
      incarnation,
    },
  },
  {
    rule: "REP60",
    says: "the last part of a snapshot, in two pieces",
    bytes: `05 0000000000000003 000000000000000b ${SENT_AT} 0000000000000004 ${META_BYTES} 0000000000000001 01
      00000002 00000002 0506 00000000`,
    value: {
      type: "snapshot-part",
      term: term(3),
      round: 11,
      sentAt,
      transfer: 4,
      meta: META,
      part: 1,
      isLast: true,
      pieces: [Uint8Array.of(5, 6), new Uint8Array(0)],
    },
  },
  {
    rule: "REP60",
    says: "stands at the snapshot",
    bytes: `06 0000000000000003 ${SENT_AT} 0000000000000004 0000000000000002 01 deadbeef`,
    value: {
      type: "snapshot-reply",
      term: term(3),
      sentAt,
      transfer: 4,
      nextPart: 2,
      outcome: "installed",
      incarnation,
    },
  },
  { rule: "REP60", says: "take over", bytes: "07 0000000000000003", value: { type: "take-over", term: term(3) } },
  { rule: "REP60", says: "you are no member", bytes: "08 0000000000000003", value: { type: "removed", term: term(3) } },
];
