/** Golden tables: decodes and encodes every row; `goldenSeeds` uses the same rows for fuzzing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { hex, toHex } from "./hex.ts";

/** One value and its bytes. */
export interface GoldenRow<T> {
  /** Id of the rule in docs/spec that this row illustrates. */
  readonly rule?: string;
  readonly says: string;
  /** Hexadecimal. */
  readonly bytes: string;
  readonly value: T;
}

export interface GoldenUses<T> {
  readonly decode?: (bytes: Uint8Array) => T;
  readonly encode?: (value: T) => Uint8Array;
}

/** Registers one node:test test per row: `[RULE] NAME: what the row says`. */
export function golden<T>(name: string, rows: readonly GoldenRow<T>[], uses: GoldenUses<T>): void {
  for (const { rule, says, bytes, value } of rows) {
    test(`${rule === undefined ? "" : `[${rule}] `}${name}: ${says}`, () => {
      if (uses.decode !== undefined) assert.deepEqual(uses.decode(hex(bytes)), value);
      if (uses.encode !== undefined) assert.equal(toHex(uses.encode(value)), toHex(hex(bytes)));
    });
  }
}

export function goldenSeeds(rows: readonly { readonly bytes: string }[]): Uint8Array[] {
  return rows.map((row) => hex(row.bytes));
}
