// Durations and clock times as people read them.

/** The two largest units: `3 d 4 h`, `2 h 05 m`, `4 m 09 s`, `12 s`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const days = Math.floor(whole / 86_400);
  const hours = Math.floor(whole / 3_600) % 24;
  const minutes = Math.floor(whole / 60) % 60;
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${pad(minutes)} m`;
  if (minutes > 0) return `${minutes} m ${pad(whole % 60)} s`;
  return `${whole} s`;
}

/** @param since ISO 8601  @param now milliseconds since 1970 */
export function formatSince(since: string, now: number): string {
  return formatDuration((now - Date.parse(since)) / 1000);
}

/** Round trips: `0.42 ms`, `3.1 ms`, `128 ms`. */
export function formatMillis(millis: number): string {
  return `${millis.toFixed(millis < 1 ? 2 : millis < 10 ? 1 : 0)} ms`;
}

/** Local wall clock with seconds. */
export function formatClock(at: string): string {
  const time = new Date(at);
  return `${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}`;
}

/** Local day and clock, to the minute. */
export function formatDay(at: string): string {
  const time = new Date(at);
  const day = `${time.getFullYear()}-${pad(time.getMonth() + 1)}-${pad(time.getDate())}`;
  return `${day} ${pad(time.getHours())}:${pad(time.getMinutes())}`;
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}
