/** What clients asked of keys, when, and what they heard: the evidence that the linearizability checker judges. */

/** `null`: there is no such key. */
export type RegisterValue = string | null;

export type RegisterCall =
  | { readonly type: "put"; readonly value: string }
  | { readonly type: "get" }
  | { readonly type: "cas"; readonly expected: RegisterValue; readonly value: string }
  | { readonly type: "delete" };

export type RegisterAnswer =
  /** Done: all that a put says, and a delete that does not tell whether there was something. */
  | { readonly type: "done" }
  | { readonly type: "found"; readonly value: RegisterValue }
  /** Of a cas, whether it swapped; of a delete, whether there was something. */
  | { readonly type: "success"; readonly success: boolean };

export interface RegisterOperation {
  readonly client: string;
  readonly key: string;
  readonly call: RegisterCall;
  /** Undefined: nobody knows; it may have happened, may happen at any later time, or never. */
  readonly answer: RegisterAnswer | undefined;
  /** Moments of call and answer, on one scale for all; Infinity where there was no answer. */
  readonly from: number;
  readonly to: number;
  /** The same for people, on whatever clock the recorder was given. */
  readonly fromLabel?: string | undefined;
  readonly toLabel?: string | undefined;
}

/** Exactly one of the three ends an operation; one that was never ended counts as unknown. */
export interface OperationHandle {
  answered(answer: RegisterAnswer): void;
  unknown(): void;
  /** It certainly did not happen, and never will: no evidence. */
  refused(): void;
}

type Open = { -readonly [Name in keyof RegisterOperation]: RegisterOperation[Name] } & { isRefused: boolean };

/** For clients of one process: the order in which it is called is the order in which things happened. */
export class HistoryRecorder {
  readonly #operations: Open[] = [];
  readonly #label: () => string;
  #moment = 0;

  /** @param label  the time of day, for people */
  constructor(label: () => string = () => "") {
    this.#label = label;
  }

  /** Call it before the request leaves. */
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

  /** So far, in the order of the calls. */
  history(): readonly RegisterOperation[] {
    return this.#operations.filter((operation) => !operation.isRefused);
  }

  get answeredCount(): number {
    return this.#operations.filter((operation) => operation.answer !== undefined).length;
  }
}
