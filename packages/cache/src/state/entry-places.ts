/** Position of one entry's key and value in their buffers before copying: cheaper than two views. */

const NOTHING = new Uint8Array(0);

export class EntryPlaces {
  keyBytes = NOTHING;
  keyStart = 0;
  keyLength = 0;
  valueBytes = NOTHING;
  valueStart = 0;
  valueLength = 0;

  /** Keeps both buffers until it points elsewhere or is cleared. @returns itself */
  point(key: Uint8Array, value: Uint8Array): this {
    return this.pointKey(key, 0, key.length).pointValue(value, 0, value.length);
  }

  /** Releases the buffers; the numbers stay. */
  forget(): void {
    this.keyBytes = NOTHING;
    this.valueBytes = NOTHING;
  }

  pointKey(bytes: Uint8Array, start: number, length: number): this {
    this.keyBytes = bytes as Uint8Array<ArrayBuffer>;
    this.keyStart = start;
    this.keyLength = length;
    return this;
  }

  pointValue(bytes: Uint8Array, start: number, length: number): this {
    this.valueBytes = bytes as Uint8Array<ArrayBuffer>;
    this.valueStart = start;
    this.valueLength = length;
    return this;
  }
}
