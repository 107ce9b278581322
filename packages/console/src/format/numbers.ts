// Numbers as people read them: rates, sizes, shares and counts.

const UNITS = ["", "k", "M", "G", "T"] as const;

/** Three significant digits with a decimal prefix: `[4.02, "M"]`. */
function scaled(value: number): readonly [string, string] {
  let step = 0;
  let rest = Math.max(0, value);
  while (rest >= 999.5 && step < UNITS.length - 1) {
    rest /= 1000;
    step++;
  }
  const digits = step === 0 || rest >= 99.95 ? 0 : rest >= 9.995 ? 1 : 2;
  return [rest.toFixed(digits), UNITS[step] ?? ""];
}

/** @param bits per second */
export function formatBitrate(bits: number): string {
  const [number, prefix] = scaled(bits);
  return `${number} ${prefix}b/s`;
}

export function formatBytes(bytes: number): string {
  const [number, prefix] = scaled(bytes);
  return `${number} ${prefix}B`;
}

/** @param share 0 to 1 */
export function formatPercent(share: number): string {
  const percent = share * 100;
  return `${percent < 9.95 ? percent.toFixed(1) : percent.toFixed(0)} %`;
}

/** Frame rates show a decimal only when they have one: 30, 29.97 as 30, 12.5. */
export function formatFps(fps: number): string {
  const rounded = Math.round(fps * 10) / 10;
  return Math.abs(rounded - Math.round(rounded)) < 0.15 ? Math.round(rounded).toFixed(0) : rounded.toFixed(1);
}

export function formatCount(count: number): string {
  return count.toLocaleString("en-GB").replaceAll(",", "\u2009");
}
