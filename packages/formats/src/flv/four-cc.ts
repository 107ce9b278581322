/** Codec names as four characters, and the numbers that legacy headers have for some of them. */

/** Names as Enhanced RTMP spells them (E2, E5), and of our own making for codecs that only legacy headers can say. */
const KNOWN: ReadonlyMap<number, string> = new Map(
  ["avc1", "hvc1", "av01", "vp09", "vp08", "vvc1", "mp4a", "Opus", ".mp3", "fLaC", "ac-3", "ec-3"].map((name) => [
    fourCcNumber(name),
    name,
  ]),
);

/** The name at `at`; unknown ones come back as they are, one character per byte. `at + 4` must lie within. */
export function fourCcAt(body: Uint8Array, at: number): string {
  const a = body[at] as number;
  const b = body[at + 1] as number;
  const c = body[at + 2] as number;
  const d = body[at + 3] as number;
  return KNOWN.get(((a << 24) | (b << 16) | (c << 8) | d) >>> 0) ?? String.fromCharCode(a, b, c, d);
}

/** The name as onMetaData may give it in audiocodecid and videocodecid (E10). */
export function fourCcNumber(name: string): number {
  let value = 0;
  for (let i = 0; i < 4; i++) value = (value << 8) | (name.charCodeAt(i) & 0xff);
  return value >>> 0;
}

/** The name that a number in onMetaData stands for: a FourCC, or a legacy codec id of that kind; "" when unknown. */
export function codecOfNumber(kind: "audio" | "video", value: number): string {
  const legacy = kind === "video" ? LEGACY_VIDEO_CODECS : LEGACY_AUDIO_CODECS;
  return KNOWN.get(value) ?? legacy[value] ?? "";
}

/** By codec id of a legacy video header. 12 is no standard, but what many encoders send for HEVC. FLV 10.1 §E.4.3.1 */
export const LEGACY_VIDEO_CODECS: readonly string[] = [
  "",
  "jpeg",
  "h263",
  "flsv",
  "vp6f",
  "vp6a",
  "fsv2",
  "avc1",
  "",
  "",
  "",
  "",
  "hvc1",
  "",
  "",
  "",
];

/** By sound format of a legacy audio header; 9 announces the enhanced form, 13 is Opus by custom. FLV 10.1 §E.4.2.1 */
export const LEGACY_AUDIO_CODECS: readonly string[] = [
  "lpcm",
  "adpc",
  ".mp3",
  "lpcm",
  "nely",
  "nely",
  "nely",
  "alaw",
  "ulaw",
  "",
  "mp4a",
  "spex",
  "",
  "Opus",
  ".mp3",
  "",
];
