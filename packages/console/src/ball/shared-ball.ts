// The ball as the page needs it, whatever carries its changes.
import type { Spot } from "./board.ts";

/** Who holds it, as the holder says. `beat` rises while it is held still, so that a vanished holder is noticed. */
export interface Holder {
  readonly name: string;
  readonly node: string;
  readonly beat: number;
}

export interface BallState {
  readonly spot: Spot | undefined;
  readonly holder: Holder | undefined;
}

export type BallConnection =
  | { readonly at: "connecting" }
  | { readonly at: "open"; readonly node: string }
  | { readonly at: "lost"; readonly reason: string };

export interface BallEvents {
  readonly connection: (state: BallConnection) => void;
  /** Somebody changed it; whoever is told at first is told what it is. */
  readonly changed: (state: BallState) => void;
}

export interface SharedBall {
  /** Resolves when the change is acknowledged: `undefined`; else why it was not done. */
  change(change: Partial<{ readonly spot: Spot; readonly holder: Holder | null }>): Promise<string | undefined>;
}

/** What a property may be, since any client may write any of them. */
export function stateOf(properties: { get(name: string): unknown }): BallState {
  const [x, y] = [properties.get("x"), properties.get("y")];
  const isSpot = typeof x === "number" && typeof y === "number" && Number.isFinite(x) && Number.isFinite(y);
  return { spot: isSpot ? { x, y } : undefined, holder: holderOf(properties.get("by")) };
}

function holderOf(value: unknown): Holder | undefined {
  const { name, node, beat } = (value ?? {}) as Partial<Record<string, unknown>>;
  if (typeof name !== "string" || typeof node !== "string" || typeof beat !== "number") return undefined;
  return { name: name.slice(0, 24), node: node.slice(0, 64), beat };
}
