/** What a peer says at connect that it can take of Enhanced RTMP, and what we answer. E-RTMP v2, "connect". */
import { type AmfObject, type AmfValue, entriesOf } from "@sluice/amf/value";

/** What a peer can do with one codec, from the bits of an info map. */
export interface FourCcUse {
  readonly canDecode: boolean;
  readonly canEncode: boolean;
  readonly canForward: boolean;
}

export interface PeerCapabilities {
  /** `"*"`: takes any. `undefined`: sent no list, so a legacy peer as far as it says. */
  readonly fourCcs: ReadonlySet<string> | "*" | undefined;
  /** By FourCC, with "*" for the rest; `undefined`: no map sent. */
  readonly videoFourCcs: ReadonlyMap<string, FourCcUse> | undefined;
  readonly audioFourCcs: ReadonlyMap<string, FourCcUse> | undefined;
  /** Follows a reconnect request. */
  readonly reconnect: boolean;
  readonly multitrack: boolean;
  readonly modEx: boolean;
  readonly nanosecondOffset: boolean;
  /** The old `videoFunction` bits: 1 client seek, 2 HDR, 4 metadata packets, 8 large-scale tile; 0 when not sent. */
  readonly videoFunction: number;
}

const USE = { DECODE: 1, ENCODE: 2, FORWARD: 4 } as const;
const CAPS_EX = { RECONNECT: 1, MULTITRACK: 2, MOD_EX: 4, NANOSECOND_OFFSET: 8 } as const;
const ALL_CAPS_EX = CAPS_EX.RECONNECT | CAPS_EX.MULTITRACK | CAPS_EX.MOD_EX | CAPS_EX.NANOSECOND_OFFSET;
const VIDEO_FOURCCS = ["avc1", "hvc1", "vvc1", "vp08", "vp09", "av01"];
const AUDIO_FOURCCS = ["mp4a", "Opus", "fLaC", "ac-3", "ec-3", ".mp3"];
/** More entries than the registry will see; a longer list is cut. */
const MOST_FOURCCS = 64;
/** What is longer is none, and is not kept. */
const FOURCC_CHARACTERS = 4;

/** Reads a connect command object; whatever has an unexpected form counts as not sent. */
export function readCapabilities(commandObject: AmfObject): PeerCapabilities {
  const capsEx = toBits(commandObject["capsEx"]);
  return {
    fourCcs: readFourCcList(commandObject["fourCcList"]),
    videoFourCcs: readInfoMap(commandObject["videoFourCcInfoMap"]),
    audioFourCcs: readInfoMap(commandObject["audioFourCcInfoMap"]),
    reconnect: (capsEx & CAPS_EX.RECONNECT) !== 0,
    multitrack: (capsEx & CAPS_EX.MULTITRACK) !== 0,
    modEx: (capsEx & CAPS_EX.MOD_EX) !== 0,
    nanosecondOffset: (capsEx & CAPS_EX.NANOSECOND_OFFSET) !== 0,
    videoFunction: toBits(commandObject["videoFunction"]),
  };
}

/** Our own set, told only as far as the peer asked: it forwards any codec. */
export function answerCapabilities(commandObject: AmfObject): AmfObject {
  const answer: Record<string, AmfValue> = {};
  if (commandObject["fourCcList"] !== undefined) answer["fourCcList"] = [...VIDEO_FOURCCS, ...AUDIO_FOURCCS, "*"];
  if (commandObject["videoFourCcInfoMap"] !== undefined) answer["videoFourCcInfoMap"] = forwardMap(VIDEO_FOURCCS);
  if (commandObject["audioFourCcInfoMap"] !== undefined) answer["audioFourCcInfoMap"] = forwardMap(AUDIO_FOURCCS);
  if (commandObject["capsEx"] !== undefined) answer["capsEx"] = ALL_CAPS_EX;
  return answer;
}

function forwardMap(fourCcs: readonly string[]): AmfObject {
  return Object.fromEntries([...fourCcs, "*"].map((fourCc) => [fourCc, USE.FORWARD]));
}

function readFourCcList(value: AmfValue): PeerCapabilities["fourCcs"] {
  const list = Array.isArray(value) ? (value as readonly AmfValue[]) : Object.values(entriesOf(value) ?? {});
  if (value === undefined || value === null || list.length === 0) return undefined;
  const fourCcs = new Set(list.slice(0, MOST_FOURCCS).filter(isFourCc));
  return fourCcs.has("*") ? "*" : fourCcs;
}

function readInfoMap(value: AmfValue): ReadonlyMap<string, FourCcUse> | undefined {
  const entries = entriesOf(value);
  if (entries === undefined) return undefined;
  const uses = new Map<string, FourCcUse>();
  for (const [fourCc, mask] of Object.entries(entries).slice(0, MOST_FOURCCS)) {
    if (!isFourCc(fourCc)) continue;
    const bits = toBits(mask);
    uses.set(fourCc, {
      canDecode: (bits & USE.DECODE) !== 0,
      canEncode: (bits & USE.ENCODE) !== 0,
      canForward: (bits & USE.FORWARD) !== 0,
    });
  }
  return uses;
}

function isFourCc(value: AmfValue): value is string {
  return typeof value === "string" && value.length <= FOURCC_CHARACTERS;
}

function toBits(value: AmfValue): number {
  return typeof value === "number" ? value | 0 : 0;
}
