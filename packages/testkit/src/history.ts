/** Records operations of clients on keys, with times and answers: the input of the linearizability checker. */

/** `null`: the key does not exist. */
export type RegisterValue = string | null;

export type RegisterCall =
  | { readonly type: "put"; readonly value: string }
  | { readonly type: "get" }
  | { readonly type: "cas"; readonly expected: RegisterValue; readonly value: string }
  | { readonly type: "delete" };

export type RegisterAnswer =
  /** Completed; the answer to a put, and to a delete that does not report whether the key existed. */
  | { readonly type: "done" }
  | { readonly type: "found"; readonly value: RegisterValue }
  /** For a cas, whether it swapped; for a delete, whether the key existed. */
  | { readonly type: "success"; readonly success: boolean };

export interface RegisterOperation {
  readonly client: string;
  readonly key: string;
  readonly call: RegisterCall;
  /** Undefined: unknown; it may have happened, may happen at any later time, or never. */
  readonly answer: RegisterAnswer | undefined;
  /** Times of call and answer, on one scale for all; Infinity without an answer. */
  readonly from: number;
  readonly to: number;
  /** The same times for people, on the recorder's clock. */
  readonly fromLabel?: string | undefined;
  readonly toLabel?: string | undefined;
}

/** Exactly one of the three ends an operation; one that never ended counts as unknown. */
export interface OperationHandle {
  answered(answer: RegisterAnswer): void;
  unknown(): void;
  /** It certainly did not happen, and never will: it is not recorded. */
  refused(): void;
}

type Open = { -readonly [Name in keyof RegisterOperation]: RegisterOperation[Name] } & { isRefused: boolean };

/** For clients of one process: the order of calls to it is the order of events. */
export class HistoryRecorder {
  readonly #operations: Open[] = [];
  readonly #label: () => string;
  #moment = 0;

  /** @param label  the time of day, for people */
  constructor(label: () => string = () => "") {
    this.#label = label;
  }

  /** Call it before sending the request. */
  begin(client: string, key: string, call: RegisterCall): OperationHandle {
    const operation: Open = {
      client,
      key,
      call,
      answer: undefined,
      from: this.#moment++,
      to: Number.POSITIVE_INFINITY,
      fromLabel: this.#label(),
      toLabel: undefined,
      isRefused: false,
    };
    this.#operations.push(operation);
    return {
      answered: (answer) => {
        operation.answer = answer;
        operation.to = this.#moment++;
        operation.toLabel = this.#label();
      },
      unknown: () => {},
      refused: () => {
        operation.isRefused = true;
      },
    };
  }

  /** The history so far, in the order of the calls. */
  history(): readonly RegisterOperation[] {
    return this.#operations.filter((operation) => !operation.isRefused);
  }

  get answeredCount(): number {
    return this.#operations.filter((operation) => operation.answer !== undefined).length;
  }
}
