/** Turns FLV tags into rows for people and for programs: when, what, how large. */
import { decodeAmf0Values } from "@sluice/amf/amf0-decode";
import { amfToJson, type Json } from "@sluice/amf/json";
import { LimitError, WireError } from "@sluice/bytes/wire-error";
import { type AudioBody, parseAudioBody } from "@sluice/formats/flv/audio-body";
import type { FlvTag } from "@sluice/formats/flv/flv-tag";
import { parseVideoBody, type VideoBody } from "@sluice/formats/flv/video-body";

/** One tag as `--json` prints it. Fields that say nothing about the tag are left out. */
export interface FlvRow {
  readonly type: FlvTag["type"];
  /** Milliseconds, 0 to 2³² − 1. */
  readonly timestamp: number;
  /** Of the body, its header included. */
  readonly bytes: number;
  readonly codec?: string;
  readonly packet?: string;
  readonly frameType?: string;
  readonly isKeyframe?: boolean;
  /** Signed milliseconds from dts to pts. */
  readonly compositionTime?: number;
  readonly isEnhanced?: boolean;
  readonly nanosecondOffset?: number;
  readonly tracks?: readonly { readonly trackId: number; readonly codec: string; readonly bytes: number }[];
  /** Of a script tag: its values, or why they cannot be read. */
  readonly values?: Json;
  readonly problems?: readonly string[];
}

export function describeTag(tag: FlvTag): FlvRow {
  const row = { type: tag.type, timestamp: tag.timestamp, bytes: tag.body.length };
  const pointer = tag.isBackPointerRight ? [] : ["wrong back pointer"];
  switch (tag.type) {
    case "video": {
      const body = parseVideoBody(tag.body);
      return { ...row, ...describeVideo(body), ...problemsOf(pointer, body) };
    }
    case "audio": {
      const body = parseAudioBody(tag.body);
      return { ...row, ...describeBody(body), ...problemsOf(pointer, body) };
    }
    case "script":
      return { ...row, ...describeScript(tag, pointer) };
  }
}

function describeVideo(body: VideoBody): Partial<FlvRow> {
  const { frameType, isKeyframe, compositionTime } = body;
  return { ...describeBody(body), frameType, isKeyframe, ...(compositionTime === 0 ? {} : { compositionTime }) };
}

function describeBody(body: VideoBody | AudioBody): Partial<FlvRow> {
  const { codec, packet, isEnhanced, nanosecondOffset } = body;
  const tracks = body.tracks.map((track) => ({ trackId: track.trackId, codec: track.codec, bytes: track.length }));
  return {
    codec,
    packet,
    isEnhanced,
    ...(nanosecondOffset === 0 ? {} : { nanosecondOffset }),
    ...(body.isMultitrack ? { tracks } : {}),
  };
}

function problemsOf(others: readonly string[], body: { readonly malformed: boolean }): Partial<FlvRow> {
  const problems = body.malformed ? [...others, "body ends inside its own header"] : others;
  return problems.length === 0 ? {} : { problems };
}

function describeScript(tag: FlvTag, pointer: readonly string[]): Partial<FlvRow> {
  try {
    const values = amfToJson(decodeAmf0Values(tag.isAmf3 ? tag.body.subarray(1) : tag.body));
    return { values, ...(pointer.length === 0 ? {} : { problems: pointer }) };
  } catch (error) {
    if (error instanceof WireError || error instanceof LimitError) return { problems: [...pointer, error.message] };
    throw error;
  }
}

/** One line for a terminal; columns stay where they are for timestamps below 28 hours. */
export function formatRow(row: FlvRow): string {
  const time = row.timestamp.toString().padStart(9);
  const size = row.bytes.toString().padStart(8);
  return [time, row.type.padEnd(6), size, ...wordsOf(row)].join("  ").trimEnd();
}

function wordsOf(row: FlvRow): string[] {
  const words: string[] = [];
  if (row.codec !== undefined) words.push((row.codec === "" ? "?" : row.codec).padEnd(4));
  if (row.packet !== undefined) words.push(row.packet === "coded-frames" ? (row.frameType ?? "frame") : row.packet);
  if (row.compositionTime !== undefined) words.push(`pts ${row.compositionTime < 0 ? "" : "+"}${row.compositionTime}`);
  if (row.isEnhanced) words.push("enhanced");
  if (row.nanosecondOffset !== undefined) words.push(`+${row.nanosecondOffset} ns`);
  for (const { trackId, codec, bytes } of row.tracks ?? []) words.push(`track ${trackId} ${codec} ${bytes}`);
  if (row.values !== undefined) words.push(JSON.stringify(row.values));
  for (const problem of row.problems ?? []) words.push(`(${problem})`);
  return words;
}
