/** The table of allowed imports between rooms: the layout as data. */

/** A room, or `room/path` for a part of it: that file, or the files below that folder. */
export type ImportRow = readonly string[];

export interface HouseTable {
  /** A room that is not listed may not exist. */
  readonly imports: Readonly<Record<string, ImportRow>>;
  /** Rooms that are published, so that they may have an index.ts. */
  readonly published: readonly string[];
  /** Additional rooms that tests may import. */
  readonly testsMayImport: readonly string[];
  /** Source files that contain only data; their length does not matter. */
  readonly dataTables: readonly string[];
}

const GROUND = ["bytes", "base"];
const FORMATS_AND_FABRIC = ["amf", "formats", "mesh", "engine", "cache"];
const PROTOCOLS_AND_DOMAIN = ["rtmp", "rtmfp", "media", "state", "pattern"];
const JOINERY = ["remux", "cluster", "runtime", "gcache", "drivers", "apps"];

export const HOUSE: HouseTable = {
  imports: {
    bytes: [],
    base: [],
    amf: ["bytes"],
    formats: ["bytes"],
    mesh: GROUND,
    engine: GROUND,
    cache: GROUND,
    rtmp: [...GROUND, "amf"],
    rtmfp: [...GROUND, "amf"],
    pattern: [...GROUND, "amf"],
    media: ["base", "formats/codec"],
    state: [...GROUND, "amf", "engine"],
    remux: [...GROUND, "media", "formats"],
    cluster: [...GROUND, "media", "state", "engine", "mesh"],
    client: [...GROUND, "rtmp", "state", "amf"],
    runtime: [...GROUND, "mesh"],
    gcache: [...GROUND, "cache", "mesh", "runtime"],
    drivers: [...GROUND, "engine", "cache", "gcache", "mesh", "runtime"],
    apps: ["base", "media", "state", "cluster", "client/admin-contract"],
    server: [
      ...GROUND,
      ...FORMATS_AND_FABRIC,
      ...PROTOCOLS_AND_DOMAIN,
      ...JOINERY,
      "client/admin-contract",
      "client/admin-objects",
      "client/cluster-advice",
      "client/contract",
    ],
    console: ["client"],
    testkit: [...GROUND, ...FORMATS_AND_FABRIC],
  },
  published: ["client", "gcache", "apps"],
  testsMayImport: [...GROUND, ...FORMATS_AND_FABRIC, ...PROTOCOLS_AND_DOMAIN, "cluster", "testkit"],
  dataTables: [],
};
