/** Cost of applying an operation, in units of about a microsecond. */
import type { Operation, OperationAnswer } from "./operation.ts";

/** Arithmetic on fractions, and on powers of ten. */
const FLOAT_WORK = 32;
const POWER_WORK = 512;
/** Cost of reading an operation among others, and applying it. */
const WORK_PER_PART = 3;
/** A table is created anew. */
const FLUSH_WORK = 32;
/** As many as RESP has; more are rare. */
const CACHES_FLUSHED = 16;

export function workOfBytes(count: number): number {
  return count >> 10;
}

/** Besides its bytes. */
export function workOf(operation: Operation): number {
  switch (operation.type) {
    case "batch":
      return operation.conditions.length + WORK_PER_PART * operation.operations.length;
    case "transaction":
      return operation.parts.reduce((sum, part) => sum + WORK_PER_PART + workOf(part), operation.watched.length);
    case "flush":
      return FLUSH_WORK;
    case "flush-all":
      return CACHES_FLUSHED * FLUSH_WORK;
    case "delete":
      return 2 * operation.keys.length;
    case "look":
    case "touch":
    case "expire-due":
      return operation.keys.length;
    case "increment-float":
      return /e/i.test(operation.by) ? POWER_WORK : FLOAT_WORK;
    default:
      return 1;
  }
}

/** For the copies that it holds. */
export function workOfAnswer(answer: OperationAnswer): number {
  switch (answer.type) {
    case "written":
    case "kept":
      return workOfBytes(answer.previous?.length ?? 0);
    case "value":
      return workOfBytes(answer.value?.length ?? 0);
    case "batch":
      return answer.answers.reduce((sum, part) => sum + workOfAnswer(part), 0);
    case "seen":
      return answer.entries.reduce((sum, entry) => sum + workOfBytes(entry?.value?.length ?? 0), 0);
    default:
      return 0;
  }
}
