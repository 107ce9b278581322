// What mpegts.js calls its failures, in words for the person in front of the player.

/** What comes with an error event; absent for some. */
export interface ErrorFacts {
  /** HTTP status or WebSocket close code, where there is one. */
  readonly code?: number;
  readonly msg?: string;
}

const WORDS: Readonly<Record<string, string>> = {
  Exception: "The connection could not be opened. The player keeps trying.",
  ConnectingTimeout: "The server took too long to answer. The player keeps trying.",
  EarlyEof: "The connection broke off. The player keeps trying.",
  UnrecoverableEarlyEof: "The connection broke off. The player keeps trying.",
  FormatError: "What arrived is not FLV.",
  FormatUnsupported: "What arrived is not FLV.",
  CodecUnsupported: "It uses a codec that cannot be played here.",
};

/** @param name a value of `ErrorDetails` */
export function failureDetail(name: string, facts: ErrorFacts | undefined): string {
  if (name === "HttpStatusCodeInvalid")
    return `The server answered ${facts?.code ?? "an error"}. The player keeps trying.`;
  return WORDS[name] ?? facts?.msg ?? name;
}
