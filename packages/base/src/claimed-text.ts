/** Cuts texts by which a peer describes itself: kept only for people to read. */

/** Characters (UTF-16 units) kept of each such text. Identifiers are refused instead: a cut one would name something else. */
export interface ClaimLimits {
  /** Program and version: flashVer, User-Agent. Browsers stay below 200. */
  readonly agentCharacters: number;
  /** The origin that the peer gives: tcUrl, swfUrl, pageUrl, Referer, Origin. */
  readonly urlCharacters: number;
  /** An unknown command or method, in replies and logs. */
  readonly methodCharacters: number;
  /** A requested name that is not a legal key: for the log only. */
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

/** The text up to `maximum` characters, without splitting a code point. A cut text is a copy: it does not pin the long one. */
export function cutText(text: string, maximum: number): string {
  if (text.length <= maximum) return text;
  return DECODER.decode(ENCODER.encode(text.slice(0, endOf(text, maximum))));
}

function endOf(text: string, maximum: number): number {
  const last = text.codePointAt(maximum - 1) ?? 0;
  return last > 0xffff ? maximum - 1 : maximum;
}
