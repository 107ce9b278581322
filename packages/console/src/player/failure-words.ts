// Texts that explain to viewers why a stream does not play.

export interface FailureWords {
  readonly text: string;
  readonly detail: string;
}

/** Facts in an error event of mpegts.js; absent for some. */
export interface ErrorFacts {
  /** HTTP status, where there is one. */
  readonly code?: number;
  readonly msg?: string;
}

const DETAILS: Readonly<Record<string, string>> = {
  Exception: "The connection could not be opened. The player keeps trying.",
  ConnectingTimeout: "The server took too long to answer. The player keeps trying.",
  EarlyEof: "The connection broke off. The player keeps trying.",
  UnrecoverableEarlyEof: "The connection broke off. The player keeps trying.",
  FormatError: "What arrived is not FLV.",
  FormatUnsupported: "What arrived is not FLV.",
  CodecUnsupported: "It uses a codec that cannot be played here.",
};

const BY_STATUS: ReadonlyMap<number, FailureWords> = new Map([
  [
    401,
    {
      text: "This stream needs a token to play",
      detail: "The server refused the console's own token. The player keeps trying.",
    },
  ],
  [
    403,
    {
      text: "This stream may not be played from here",
      detail: "Rules for addresses hold for the console too. The player keeps trying.",
    },
  ],
  [404, { text: "This stream has no publisher", detail: "The player keeps trying." }],
  [503, { text: "The server takes no more viewers", detail: "It is at a limit. The player keeps trying." }],
  [
    200,
    {
      text: "The WebSocket could not be opened",
      detail:
        "The server would send the stream over HTTP: choose HTTP-FLV. Something between may not pass WebSockets on.",
    },
  ],
]);

/** Meaning of an HTTP status at the stream's address when the stream itself does not arrive. */
export function wordsOfStatus(status: number): FailureWords {
  const detail = `The server answered ${status}. The player keeps trying.`;
  return BY_STATUS.get(status) ?? { text: "The stream could not be fetched", detail };
}

/** @param name  a value of mpegts.js' `ErrorDetails` */
export function wordsOfError(kind: "network" | "media", name: string, facts: ErrorFacts | undefined): FailureWords {
  if (name === "HttpStatusCodeInvalid" && facts?.code !== undefined) return wordsOfStatus(facts.code);
  const text = kind === "network" ? "The stream could not be fetched" : "The browser could not play this stream";
  return { text, detail: DETAILS[name] ?? facts?.msg ?? name };
}
