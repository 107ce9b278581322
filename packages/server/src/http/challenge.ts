/** What a refusal says to a client that showed no token. RFC 9110 §11.6.1 */

export const CHALLENGE: Readonly<Record<string, string>> = { "WWW-Authenticate": 'Bearer realm="sluice"' };
