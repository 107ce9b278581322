/** What a client asks for with play, with the old confusion of units resolved. RTMP 1.0 §7.2.2.1. */
import type { AmfValue } from "@sluice/amf/value";

/** "any": live, else recorded, else wait. "live": live only. A number: recorded from that many milliseconds on. */
export type PlayStart = "any" | "live" | number;

export interface PlayRange {
  readonly start: PlayStart;
  /** Milliseconds; 0 is one frame, "all" goes to the end. */
  readonly duration: "all" | number;
  /** False: behind what plays already. */
  readonly reset: boolean;
}

/**
 * Arguments behind the name. −2 and −2000 say "any", −1 and −1000 "live": the text means seconds, the practice
 * milliseconds. Positive numbers are milliseconds. Missing arguments say any, all and reset.
 */
export function readPlayRange(args: readonly AmfValue[]): PlayRange {
  const [start, duration, reset] = args;
  return { start: toStart(start), duration: toDuration(duration), reset: toReset(reset) };
}

function toStart(value: AmfValue): PlayStart {
  if (typeof value !== "number" || Number.isNaN(value)) return "any";
  if (value >= 0) return value;
  return value === -1 || value === -1000 ? "live" : "any";
}

function toDuration(value: AmfValue): "all" | number {
  return typeof value === "number" && value >= 0 ? value : "all";
}

/** Numbers as Flash had them: odd ones reset. */
function toReset(value: AmfValue): boolean {
  if (typeof value === "number") return (value & 1) === 1;
  return value !== false;
}
