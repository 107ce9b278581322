/** What the reader remembers of one incoming chunk stream. */

/** Every field starts at zero, so that a stream may begin with any chunk type. Mutable: one per id, reused for ever. */
export class ChunkStream {
  readonly id: number;
  /** Absolute time of the current or last message, 0 to 2³² − 1. */
  timestamp = 0;
  /** The last timestamp field, absolute or delta: what a type 3 chunk that opens a message adds once more. */
  delta = 0;
  hasExtendedTimestamp = false;
  /** Declared bytes of the current or last message. */
  length = 0;
  typeId = 0;
  messageStreamId = 0;
  /** The unfinished message, at most `length` long; `undefined` between messages. */
  payload: Uint8Array | undefined;
  filled = 0;

  constructor(id: number) {
    this.id = id;
  }
}

/** Chunk streams by id: an array for the ids that fit in one byte, a map for the rare others. */
export class ChunkStreamTable {
  readonly #low: (ChunkStream | undefined)[] = [];
  #high: Map<number, ChunkStream> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  find(id: number): ChunkStream | undefined {
    return id < 64 ? this.#low[id] : this.#high?.get(id);
  }

  add(id: number): ChunkStream {
    const stream = new ChunkStream(id);
    this.#size++;
    if (id < 64) this.#low[id] = stream;
    else {
      this.#high ??= new Map();
      this.#high.set(id, stream);
    }
    return stream;
  }
}
