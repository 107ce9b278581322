/** What a client means by the name it gives to publish or play, alone and behind what it gave to connect. */
import { RtmpLimitError } from "./errors.ts";
import type { RtmpLimits } from "./limits.ts";

export interface StreamNameParts {
  /** As sent, without the prefix, with the query: what the address of a live stream is made from. */
  readonly streamName: string;
  /** Behind the first "?", without it; "" when there is none. */
  readonly query: string;
  /** The container that the client had in mind; live streams have none, so it is only told. */
  readonly prefix: "mp4" | "flv" | "mp3" | undefined;
}

const PREFIXES = ["mp4", "flv", "mp3"] as const;

export function splitStreamName(sent: string): StreamNameParts {
  const prefix = PREFIXES.find((candidate) => sent.startsWith(`${candidate}:`));
  const streamName = prefix === undefined ? sent : sent.slice(prefix.length + 1);
  return { streamName, query: queryOf(streamName), prefix };
}

export function queryOf(text: string): string {
  const mark = text.indexOf("?");
  return mark < 0 ? "" : text.slice(mark + 1);
}

export function withoutQuery(text: string): string {
  const mark = text.indexOf("?");
  return mark < 0 ? text : text.slice(0, mark);
}

/** Names open things, so that one over the limit is refused as a whole. @throws {RtmpLimitError} */
export function boundedName(name: string, limits: RtmpLimits): string {
  const { nameCharacters } = limits;
  if (name.length <= nameCharacters) return name;
  throw new RtmpLimitError({ limit: "nameCharacters", value: name.length, maximum: nameCharacters });
}

/** An address as its two halves say it together. */
export interface StreamAddress {
  /** What the path is made of: of the application, then of the name, neither with a query. */
  readonly paths: readonly [app: string, name: string];
  /** Of connect, then of the name; empty where there is none. */
  readonly queries: readonly string[];
}

/**
 * FFmpeg and others cut an address at a slash wherever it stands, also inside the query: of `live/cam?token=ab/cd&x=1`
 * come `live/cam?token=ab` and `cd&x=1`. A name with `&` or `=` and no `?` of its own, behind a query, goes on with that query.
 */
export function joinAddress(connect: { readonly app: string; readonly query: string }, sent: string): StreamAddress {
  const { app, query } = connect;
  if (query !== "" && /^[^?]*[&=][^?]*$/.test(sent)) return { paths: [app, ""], queries: [`${query}/${sent}`] };
  return { paths: [app, withoutQuery(sent)], queries: [query, queryOf(sent)].filter((one) => one !== "") };
}
