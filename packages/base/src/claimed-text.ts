/** Texts by which a peer describes itself: kept for people to read, so cut where they come in. */

/** Characters (UTF-16 units) kept of each such text. What names or opens something is refused instead: cut, it would name another. */
export interface ClaimLimits {
  /** Program and version: flashVer, User-Agent. Browsers stay below 200. */
  readonly agentCharacters: number;
  /** Where the peer says it comes from: tcUrl, swfUrl, pageUrl, Referer, Origin. */
  readonly urlCharacters: number;
  /** A command or method that nobody knows, when it is told back or logged. */
  readonly methodCharacters: number;
  /** What it asked for, where that is no legal key: for the log alone. */
  readonly askedCharacters: number;
}

export const CLAIM_LIMITS: ClaimLimits = {
  agentCharacters: 256,
  urlCharacters: 1_024,
  methodCharacters: 100,
  askedCharacters: 200,
};

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

/** The text up to `maximum` characters, never half a code point. A cut text is a copy: it does not pin the long one. */
export function cutText(text: string, maximum: number): string {
  if (text.length <= maximum) return text;
  return DECODER.decode(ENCODER.encode(text.slice(0, endOf(text, maximum))));
}

function endOf(text: string, maximum: number): number {
  const last = text.codePointAt(maximum - 1) ?? 0;
  return last > 0xffff ? maximum - 1 : maximum;
}
