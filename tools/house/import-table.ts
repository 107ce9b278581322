/** Which room may import which: the rows of house.md §1.1 as data. */

/** A room, or `room/path` for a part of it: that file, or the files below that folder. */
export type ImportRow = readonly string[];

export interface HouseTable {
  /** A room that is not listed may not exist. */
  readonly imports: Readonly<Record<string, ImportRow>>;
  /** Rooms that are published, so that they may have an index.ts. */
  readonly published: readonly string[];
  /** What tests may import beside what their room may. */
  readonly testsMayImport: readonly string[];
  /** Source files that are nothing but data; their length says nothing. */
  readonly dataTables: readonly string[];
}

const GROUND = ["bytes", "base"];
const FORMATS_AND_FABRIC = ["amf", "formats", "mesh", "engine", "cache"];
const ENGINES_AND_DOMAIN = ["rtmp", "rtmfp", "media", "state"];
const JOINERY = ["remux", "cluster", "apps"];

export const HOUSE: HouseTable = {
  imports: {
    bytes: [],
    base: [],
    amf: ["bytes"],
    formats: ["bytes"],
    mesh: GROUND,
    engine: GROUND,
    cache: GROUND,
    rtmp: ["bytes", "base", "amf"],
    rtmfp: ["bytes", "base", "amf"],
    media: ["base", "formats/codec"],
    state: ["base", "amf", "engine"],
    remux: ["media", "formats", "bytes", "base"],
    cluster: ["media", "state", "engine", "mesh", "bytes", "base"],
    apps: ["media", "state", "cluster", "base"],
    client: ["rtmp", "state", "amf", "bytes", "base"],
    server: [...GROUND, ...FORMATS_AND_FABRIC, ...ENGINES_AND_DOMAIN, ...JOINERY, "client/admin-contract"],
    console: ["client"],
    testkit: [...GROUND, ...FORMATS_AND_FABRIC],
  },
  published: ["client", "cache"],
  testsMayImport: [...GROUND, "testkit"],
  dataTables: [],
};
