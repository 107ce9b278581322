/** The conformance suite: the behaviour of every engine, as cases for any test runner. */
import { CLOSING_CASES } from "./conformance/closing-cases.ts";
import { ENTRY_CASES } from "./conformance/entry-cases.ts";
import { EPOCH_CASES } from "./conformance/epoch-cases.ts";
import type { ConformanceCase } from "./conformance/harness.ts";
import { LEASE_CASES } from "./conformance/lease-cases.ts";
import { LOG_CASES } from "./conformance/log-cases.ts";
import { MESSAGE_CASES } from "./conformance/message-cases.ts";
import { VALUE_CASES } from "./conformance/value-cases.ts";
import { WATCH_CASES } from "./conformance/watch-cases.ts";

/** Order does not matter: each case has its own harness. Raise `ENGINE_PORT_VERSION` when a case becomes stricter. */
export const conformanceCases: readonly ConformanceCase[] = [
  ...ENTRY_CASES,
  ...VALUE_CASES,
  ...WATCH_CASES,
  ...LEASE_CASES,
  ...EPOCH_CASES,
  ...MESSAGE_CASES,
  ...LOG_CASES,
  ...CLOSING_CASES,
];
