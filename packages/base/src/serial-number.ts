/** Arithmetic of 32-bit numbers that wrap: RTMP timestamps, acknowledgement counters. RFC 1982. */

/** How far `to` lies ahead of `from`, −2³¹ to 2³¹ − 1; negative when behind. */
export function serialDistance(from: number, to: number): number {
  return (to - from) | 0;
}

/** `value + delta` modulo 2³², 0 to 2³² − 1. */
export function serialAdd(value: number, delta: number): number {
  return (value + delta) >>> 0;
}

/** Whether `a` comes before `b` modulo 2³². */
export function serialBefore(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}
