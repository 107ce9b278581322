/** What becomes of a batch of wishes: the operations of one change, no change, or a refusal. Without any state of its own. */
import type { AmfValue } from "@sluice/amf/value";
import type { Millis } from "@sluice/base/brand";
import { encodeUtf8 } from "@sluice/bytes/byte-writer";
import { type CurrentProperty, type GuardedAct, type Operation, type Refusal, refusal, type Wish } from "./change.ts";
import { NotPlainDataError } from "./errors.ts";
import type { ObjectLimits } from "./limits.ts";
import { type ObjectState, propertyBytes } from "./object-state.ts";
import { checkName, isSameValue, type Plain } from "./plain-data.ts";
import type { ObjectGuard, Who } from "./ports.ts";
import { isSamePosition, ORIGIN } from "./position.ts";

export interface Writer {
  readonly client: string;
  readonly who: Who;
}

export interface WriteRules {
  readonly path: string;
  readonly guard: ObjectGuard;
  readonly limits: ObjectLimits;
  /** Bytes that the object may have; less than `limits` says where the engine's rows are smaller. */
  readonly objectBytes: number;
  readonly longestLock: Millis;
}

export type Verdict =
  | { readonly type: "change"; readonly operations: readonly Operation[] }
  /** All that was wished is so already. */
  | { readonly type: "equal" }
  | Refusal;

/** All wishes are judged one after another, as if those before had been done. */
export function judgeWrite(state: ObjectState, wishes: readonly Wish[], writer: Writer, rules: WriteRules): Verdict {
  if (wishes.length > rules.limits.batchOperations) return refusal("limit", "batchOperations");
  const draft = new Draft(state, writer, rules);
  for (const wish of wishes) {
    const refused = draft.judge(wish);
    if (refused !== undefined) return refused;
  }
  const excess = draft.excess();
  if (excess !== undefined) return refusal("limit", excess, currentOf(state, wishes));
  return draft.operations.length === 0 ? { type: "equal" } : { type: "change", operations: draft.operations };
}

/** The true values of the properties that wishes name. */
export function currentOf(state: ObjectState, wishes: readonly Wish[]): CurrentProperty[] {
  const names = new Set(wishes.flatMap((wish) => (wish.type === "set" || wish.type === "remove" ? [wish.name] : [])));
  return [...names].map((name) => state.current(name));
}

class Draft {
  readonly operations: Operation[] = [];
  readonly #state: ObjectState;
  readonly #writer: Writer;
  readonly #rules: WriteRules;
  /** Undefined: removed. */
  readonly #written = new Map<string, Plain | undefined>();
  #isCleared = false;

  constructor(state: ObjectState, writer: Writer, rules: WriteRules) {
    this.#state = state;
    this.#writer = writer;
    this.#rules = rules;
  }

  /** @returns why the whole batch is refused */
  judge(wish: Wish): Refusal | undefined {
    const locked = this.#lockedBy();
    if (locked !== undefined && wish.type !== "message")
      return refusal("locked", locked, currentOf(this.#state, [wish]));
    switch (wish.type) {
      case "set":
        return this.#set(wish);
      case "remove":
        return this.#remove(wish);
      case "clear":
        return this.#clear();
      case "message":
        return this.#message(wish);
      case "lock":
        return this.#lock(wish.lease);
      case "unlock":
        if (this.#state.lock !== undefined) this.operations.push({ type: "unlock" });
        return undefined;
    }
  }

  /** The limit that the object would be over. What is over it already may shrink. */
  excess(): keyof ObjectLimits | undefined {
    let count = this.#isCleared ? 0 : this.#state.properties.size;
    let bytes = this.#isCleared ? 0 : this.#state.byteSize;
    for (const [name, plain] of this.#written) {
      const before = this.#isCleared ? undefined : this.#state.properties.get(name)?.plain;
      count += (plain === undefined ? 0 : 1) - (before === undefined ? 0 : 1);
      if (before !== undefined) bytes -= propertyBytes(name, before);
      if (plain !== undefined) bytes += propertyBytes(name, plain);
    }
    if (count > this.#rules.limits.properties && count > this.#state.properties.size) return "properties";
    return bytes > this.#rules.objectBytes && bytes > this.#state.byteSize ? "objectBytes" : undefined;
  }

  #set(wish: Wish & { readonly type: "set" }): Refusal | undefined {
    const { name, plain } = wish;
    const { guard, path } = this.#rules;
    const refused = this.#checkNamed(name, plain) ?? this.#checkExpected(wish);
    if (refused !== undefined) return refused;
    if (guard.mayWrite?.(path, this.#writer.who, name, plain.value) === false) return this.#denied("write", wish);
    const before = this.#find(name);
    if (before !== undefined && isSameValue(before, plain)) return undefined;
    this.#written.set(name, plain);
    this.operations.push({ type: "set", name, plain });
    return undefined;
  }

  #remove(wish: Wish & { readonly type: "remove" }): Refusal | undefined {
    const { guard, path } = this.#rules;
    const stale = this.#checkExpected(wish);
    if (stale !== undefined) return stale;
    if (guard.mayDelete?.(path, this.#writer.who, wish.name) === false) return this.#denied("delete", wish);
    if (this.#find(wish.name) === undefined) return undefined;
    this.#written.set(wish.name, undefined);
    this.operations.push({ type: "remove", name: wish.name });
    return undefined;
  }

  #clear(): Refusal | undefined {
    const { guard, path } = this.#rules;
    const names = new Set([...this.#state.properties.keys(), ...this.#written.keys()]);
    const standing = [...names].filter((name) => this.#find(name) !== undefined);
    for (const name of standing) {
      if (guard.mayDelete?.(path, this.#writer.who, name) === false) return this.#denied("delete", { name });
    }
    this.#isCleared = true;
    this.#written.clear();
    if (standing.length > 0) this.operations.push({ type: "clear" });
    return undefined;
  }

  #message({ name, plain }: Wish & { readonly type: "message" }): Refusal | undefined {
    const { guard, path } = this.#rules;
    const refused = this.#checkNamed(name, plain);
    if (refused !== undefined) return refused;
    const args = plain.value as readonly AmfValue[];
    if (guard.maySend?.(path, this.#writer.who, name, args) === false) return refusal("denied", "send");
    this.operations.push({ type: "message", name, plain });
    return undefined;
  }

  /** By its owner again: the lease begins anew. */
  #lock(wanted: Millis): Refusal | undefined {
    const lease = Math.min(Math.max(1, Math.ceil(wanted)), this.#rules.longestLock) as Millis;
    this.operations.push({ type: "lock", owner: this.#writer.client, lease });
    return undefined;
  }

  #lockedBy(): string | undefined {
    const owner = this.#state.lock?.owner;
    return owner === this.#writer.client ? undefined : owner;
  }

  #checkNamed(name: string, plain: Plain): Refusal | undefined {
    const { limits } = this.#rules;
    try {
      checkName(name);
    } catch (error) {
      if (error instanceof NotPlainDataError) return refusal("not-plain", error.context.path);
      throw error;
    }
    if (encodeUtf8(name).length > limits.nameBytes) return refusal("limit", "nameBytes");
    return plain.bytes.length > limits.valueBytes
      ? refusal("limit", "valueBytes", [this.#state.current(name)])
      : undefined;
  }

  #checkExpected({ name, expected }: Wish & { readonly type: "set" | "remove" }): Refusal | undefined {
    if (expected === undefined) return undefined;
    const isWritten = this.#written.has(name) || (this.#isCleared && this.#state.properties.has(name));
    const at = this.#state.properties.get(name)?.at ?? ORIGIN;
    const isSo = !isWritten && isSamePosition(at, expected);
    return isSo ? undefined : refusal("stale", name, [this.#state.current(name)]);
  }

  #denied(act: GuardedAct, { name }: { readonly name: string }): Refusal {
    return refusal("denied", act, [this.#state.current(name)]);
  }

  #find(name: string): Plain | undefined {
    if (this.#written.has(name)) return this.#written.get(name);
    return this.#isCleared ? undefined : this.#state.properties.get(name)?.plain;
  }
}
