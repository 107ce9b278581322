/** The checker passes what a real register did, whatever was concurrent or unknown, and finds what none can have done. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  HistoryRecorder,
  type RegisterAnswer,
  type RegisterCall,
  type RegisterOperation,
  type RegisterValue,
} from "@sluice/testkit/history";
import { assertLinearizable, checkHistory } from "@sluice/testkit/linearizability";
import { randomBelow, seededRandom } from "@sluice/testkit/random";
import { everySeed } from "@sluice/testkit/seeds";
import fc from "fast-check";

const FILE = "packages/testkit/test/linearizability.test.ts";
const DONE: RegisterAnswer = { type: "done" };
const put = (value: string): RegisterCall => ({ type: "put", value });
const get: RegisterCall = { type: "get" };
const remove: RegisterCall = { type: "delete" };
const cas = (expected: RegisterValue, value: string): RegisterCall => ({ type: "cas", expected, value });
const found = (value: RegisterValue): RegisterAnswer => ({ type: "found", value });
const success = (success: boolean): RegisterAnswer => ({ type: "success", success });

type Row = readonly [from: number, to: number | "…", call: RegisterCall, answer?: RegisterAnswer];

function history(rows: readonly Row[]): RegisterOperation[] {
  return rows.map(([from, to, call, answer], index) => ({
    client: `c${index + 1}`,
    key: "k",
    call,
    answer,
    from,
    to: to === "…" ? Number.POSITIVE_INFINITY : to,
  }));
}

const POSSIBLE: readonly { says: string; rows: readonly Row[] }[] = [
  { says: "nothing", rows: [] },
  { says: "a key that is not there", rows: [[0, 1, get, found(null)]] },
  {
    says: "one after the other",
    rows: [
      [0, 1, put("a"), DONE],
      [2, 3, get, found("a")],
    ],
  },
  {
    says: "a read while a write is under way, old or new",
    rows: [
      [0, 1, put("a"), DONE],
      [2, 9, put("b"), DONE],
      [3, 4, get, found("a")],
      [5, 6, get, found("b")],
    ],
  },
  {
    says: "two writes at once, the first to be called taking effect last",
    rows: [
      [0, 10, put("a"), DONE],
      [1, 9, put("b"), DONE],
      [11, 12, get, found("a")],
    ],
  },
  {
    says: "a write without an answer that takes effect late",
    rows: [
      [0, 1, put("a"), DONE],
      [2, "…", put("b")],
      [3, 4, get, found("a")],
      [5, 6, get, found("b")],
    ],
  },
  {
    says: "a write without an answer that never takes effect",
    rows: [
      [0, 1, put("a"), DONE],
      [2, "…", put("b")],
      [30, 31, get, found("a")],
    ],
  },
  {
    says: "a chain of swaps of which some are unknown",
    rows: [
      [0, 1, cas(null, "a"), success(true)],
      [2, "…", cas("a", "b")],
      [3, "…", cas("b", "c")],
      [4, 5, cas("a", "x"), success(false)],
      [6, 7, cas("c", "d"), success(true)],
      [8, 9, get, found("d")],
    ],
  },
  {
    says: "a delete without an answer explains that there is nothing",
    rows: [
      [0, 1, put("a"), DONE],
      [2, "…", remove],
      [3, 4, get, found(null)],
      [5, 6, remove, success(false)],
    ],
  },
  {
    says: "call and answer at the same moment count as concurrent",
    rows: [
      [0, 5, put("a"), DONE],
      [5, 8, get, found(null)],
    ],
  },
  {
    says: "the same value twice",
    rows: [
      [0, 1, put("a"), DONE],
      [2, 3, put("b"), DONE],
      [4, "…", put("a")],
      [5, 6, get, found("a")],
    ],
  },
];

const IMPOSSIBLE: readonly { says: string; rows: readonly Row[]; few: number }[] = [
  { says: "a value from nowhere", rows: [[0, 1, get, found("a")]], few: 1 },
  {
    says: "a stale read",
    rows: [
      [0, 1, put("a"), DONE],
      [2, 3, put("b"), DONE],
      [4, 5, get, found("a")],
    ],
    few: 3,
  },
  {
    says: "an acknowledged write that is lost",
    rows: [
      [0, 1, put("a"), DONE],
      [2, 3, get, found(null)],
    ],
    few: 2,
  },
  {
    says: "a write applied twice",
    rows: [
      [0, 1, put("a"), DONE],
      [2, 3, put("b"), DONE],
      [4, 5, get, found("b")],
      [6, 7, get, found("a")],
    ],
    few: 3,
  },
  {
    says: "a read that goes back",
    rows: [
      [0, 1, put("a"), DONE],
      [2, 9, put("b"), DONE],
      [3, 4, get, found("b")],
      [5, 6, get, found("a")],
    ],
    few: 4,
  },
  {
    says: "two that both swapped from the same value",
    rows: [
      [0, 1, put("a"), DONE],
      [2, 5, cas("a", "b"), success(true)],
      [2, 5, cas("a", "c"), success(true)],
    ],
    few: 3,
  },
  {
    says: "a swap that failed for no reason",
    rows: [
      [0, 1, put("a"), DONE],
      [2, 3, cas("a", "b"), success(false)],
    ],
    few: 2,
  },
  {
    says: "an unknown write seen, and unseen again",
    rows: [
      [0, 1, put("a"), DONE],
      [2, "…", put("b")],
      [3, 4, get, found("b")],
      [5, 6, get, found("a")],
    ],
    few: 4,
  },
  { says: "a delete of nothing that found something", rows: [[0, 1, remove, success(true)]], few: 1 },
  {
    says: "an effect before the call",
    rows: [
      [0, 1, get, found("a")],
      [2, 3, put("a"), DONE],
    ],
    few: 1,
  },
];

for (const { says, rows } of POSSIBLE) {
  test(`possible: ${says}`, () => assertLinearizable(history(rows)));
}

for (const { says, rows, few } of IMPOSSIBLE) {
  test(`impossible: ${says}`, () => {
    const verdict = checkHistory(history(rows));
    assert.equal(verdict.verdict, "violation");
    if (verdict.verdict === "violation") assert.equal(verdict.operations.length, few, verdict.explanation);
  });
}

test("a violation is told in a table of the few operations that matter, whatever else happened", () => {
  const rows: Row[] = [];
  for (let index = 0; index < 300; index++) {
    rows.push([index * 2, index * 2 + 1, put(`v${index}`), DONE], [index * 2, index * 2 + 9, get, found(`v${index}`)]);
  }
  rows.push([650, "…", put("never seen")], [700, 701, get, found("v298")]);
  rows.push([800, 801, put("later"), DONE], [802, 803, get, found("wrong too")]);
  const verdict = checkHistory([
    ...history(rows),
    ...history([[0, 1, get, found(null)]]).map((o) => ({ ...o, key: "x" })),
  ]);
  assert.equal(verdict.verdict, "violation");
  if (verdict.verdict !== "violation") return;
  assert.equal(
    verdict.explanation,
    [
      'Key "k" is not linearizable: no order of these 3 operations gives their answers',
      "  client  from  to   asked       heard",
      '  c597    596   597  put "v298"  done',
      '  c599    598   599  put "v299"  done',
      '  c602    700   701  get         "v298"',
      '  the longest order that fits: c597 put "v298", then c599 put "v299"; the value there is "v299"',
    ].join("\n"),
  );
});

test("too much work is said, and is no verdict", () => {
  const rows: Row[] = Array.from({ length: 12 }, (_, index) => [index, 100 + index, put(`v${index}`), DONE]);
  rows.push([200, 201, get, found("v3")], [202, 203, get, found("v4")]);
  const verdict = checkHistory(history(rows), { maxSteps: 50 });
  assert.deepEqual(verdict, { verdict: "undecided", key: "k", operationCount: 14 });
  assert.throws(() => assertLinearizable(history(rows), { maxSteps: 50 }), /Cannot judge the 14 operations of key "k"/);
});

test("the recorder keeps order, forgets refusals, and takes what never ended for unknown", () => {
  const recorder = new HistoryRecorder(() => "12:00");
  const first = recorder.begin("a", "k", put("1"));
  const second = recorder.begin("b", "k", put("2"));
  const third = recorder.begin("c", "k", get);
  recorder.begin("d", "k", remove).unknown();
  second.answered(DONE);
  third.refused();
  const [one, two, ...rest] = recorder.history();
  assert.deepEqual([one?.from, one?.to, one?.answer], [0, Number.POSITIVE_INFINITY, undefined]);
  assert.deepEqual([two?.from, two?.to, two?.answer, two?.toLabel], [1, 4, DONE, "12:00"]);
  assert.equal(rest.length, 1);
  assert.equal(recorder.answeredCount, 1);
  first.answered(DONE);
  assert.equal(recorder.history()[0]?.to, 5);
});

/** What a real register answers to clients at once: each operation takes effect at one moment between call and answer. */
function realHistory(seed: number, clients: number, count: number, unknownShare = 0.05): RegisterOperation[] {
  const random = seededRandom(seed);
  const recorder = new HistoryRecorder();
  const idle = Array.from({ length: clients }, (_, index) => `c${index + 1}`);
  const pending: {
    client: string;
    handle: ReturnType<HistoryRecorder["begin"]>;
    call: RegisterCall;
    answer?: RegisterAnswer;
    isUnknown: boolean;
    isLost: boolean;
  }[] = [];
  let value: RegisterValue = null;
  let written = 0;
  for (let begun = 0; begun < count || pending.length > 0; ) {
    const canBegin = begun < count && idle.length > 0;
    if (canBegin && (pending.length === 0 || random() < 0.4)) {
      const client = idle.splice(randomBelow(random, idle.length), 1)[0] as string;
      const call = randomCall();
      const isUnknown = random() < unknownShare;
      pending.push({
        client,
        call,
        handle: recorder.begin(client, "k", call),
        isUnknown,
        isLost: isUnknown && random() < 0.5,
      });
      begun++;
      // A client that gave up goes on under another name, as its old request may still be under way.
      if (isUnknown) idle.push(`${client}'`);
      continue;
    }
    const index = randomBelow(random, pending.length);
    const operation = pending[index];
    if (operation === undefined) continue;
    if (operation.answer === undefined && !operation.isLost) {
      operation.answer = effect(operation.call);
      continue;
    }
    pending.splice(index, 1);
    if (operation.isUnknown) operation.handle.unknown();
    else {
      operation.handle.answered(operation.answer as RegisterAnswer);
      idle.push(operation.client);
    }
  }
  return [...recorder.history()];

  function randomCall(): RegisterCall {
    const kind = random();
    if (kind < 0.35) return get;
    if (kind < 0.65) return put(`v${written++}`);
    if (kind < 0.75) return remove;
    return cas(random() < 0.7 ? value : `v${randomBelow(random, written + 1)}`, `v${written++}`);
  }

  function effect(call: RegisterCall): RegisterAnswer {
    const before = value;
    if (call.type === "get") return found(before);
    if (call.type === "put") value = call.value;
    if (call.type === "delete") value = null;
    if (call.type === "cas" && call.expected === before) value = call.value;
    if (call.type === "put") return DONE;
    return success(call.type === "cas" ? call.expected === before : before !== null);
  }
}

everySeed("histories of a real register always pass", { count: 300, file: FILE }, (seed) => {
  assertLinearizable(realHistory(seed, 1 + (seed % 12), 60));
});

test("a long history with much at once is judged within seconds", () => {
  const started = performance.now();
  assertLinearizable(realHistory(1, 10, 10_000, 0.002));
  assert.ok(performance.now() - started < 2_000, `took ${performance.now() - started} ms`);
});

test("agrees with trying every order on small histories, possible or not", () => {
  const value = fc.constantFrom("a", "b");
  const anyAnswer = (call: RegisterCall): fc.Arbitrary<RegisterAnswer | undefined> => {
    if (call.type === "put") return fc.constantFrom(DONE, undefined);
    if (call.type === "get") return fc.constantFrom(found(null), found("a"), found("b"), undefined);
    return fc.constantFrom(success(true), success(false), undefined);
  };
  const call: fc.Arbitrary<RegisterCall> = fc.oneof(
    value.map(put),
    fc.constant(get),
    fc.constant(remove),
    fc.record({ type: fc.constant("cas" as const), expected: fc.constantFrom(null, "a", "b"), value }),
  );
  const row: fc.Arbitrary<Row> = call.chain((asked) =>
    fc.tuple(fc.nat(12), fc.integer({ min: 1, max: 6 }), anyAnswer(asked)).map(([from, length, answer]): Row => {
      return answer === undefined ? [from, "…", asked] : [from, from + length, asked, answer];
    }),
  );
  const verdicts = { violation: 0, linearizable: 0, undecided: 0 };
  fc.assert(
    fc.property(fc.array(row, { maxLength: 6 }), (rows) => {
      const operations = history(rows);
      const { verdict } = checkHistory(operations);
      verdicts[verdict]++;
      assert.equal(verdict, bruteForce(operations, null) ? "linearizable" : "violation");
    }),
    { numRuns: 3_000 },
  );
  assert.ok(verdicts.violation > 300 && verdicts.linearizable > 300, JSON.stringify(verdicts));
});

/** Straight from the definition. */
function bruteForce(left: readonly RegisterOperation[], value: RegisterValue): boolean {
  if (left.every((operation) => operation.answer === undefined)) return true;
  return left.some((operation) => {
    if (left.some((other) => other.to < operation.from)) return false;
    const after = effectOf(operation, value);
    return (
      after !== undefined &&
      bruteForce(
        left.filter((other) => other !== operation),
        after,
      )
    );
  });
}

function effectOf({ call, answer }: RegisterOperation, value: RegisterValue): RegisterValue | undefined {
  if (call.type === "put") return call.value;
  if (call.type === "get") return answer?.type === "found" && answer.value !== value ? undefined : value;
  const isDone = call.type === "delete" ? value !== null : value === call.expected;
  if (answer?.type === "success" && answer.success !== isDone) return undefined;
  if (call.type === "delete") return null;
  return isDone ? call.value : value;
}
