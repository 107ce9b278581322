/** Detects HTTP on the RESP port by its lines: otherwise a web page could send commands in the body of its request. */

export type OtherProtocol = "HTTP" | "TLS";

/** First byte of a TLS connection; no command begins with it. */
export const TLS_HANDSHAKE = 0x16;

/** Any method: fetch accepts any word. */
const REQUEST_LINE = /[\0-\x20]HTTP\/\d(?:\.\d+)?["'\0-\x20]*$/i;
/** Ignores leading characters other than letters; `GET /x` alone is a command. */
const METHOD = /^[^a-z]*(?:post|(?:put|patch|head|options|delete|connect|trace)["'\0-\x20]+(?:[/*]|[a-z\d+.-]+:))/i;
/** `Host:` and the like: no command has a colon in its name. */
const HEADER = /^[^a-z]*[a-z][a-z\d-]*["']?:/i;

/** @param line  of an inline command, as it arrived, without its end */
export function isHttpLine(line: string): boolean {
  return HEADER.test(line) || METHOD.test(line) || REQUEST_LINE.test(line);
}
