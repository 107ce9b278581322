/** Where the key and the value of one entry lie, before they are copied: pointing costs less than two views would. */

const NOTHING = new Uint8Array(0);

export class EntryPlaces {
  keyBytes = NOTHING;
  keyStart = 0;
  keyLength = 0;
  valueBytes = NOTHING;
  valueStart = 0;
  valueLength = 0;

  /** Holds on to both until it points elsewhere or forgets. @returns itself */
  point(key: Uint8Array, value: Uint8Array): this {
    return this.pointKey(key, 0, key.length).pointValue(value, 0, value.length);
  }

  /** Lets go of the buffers; the numbers stay as they were. */
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
