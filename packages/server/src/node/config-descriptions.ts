/** Descriptions of decoder configurations, cached: rows are made every second, configurations rarely change. */
import { type DecoderDescription, describeDecoderConfig } from "@sluice/formats/codec/decoder-config";
import type { Frame } from "@sluice/media/frame";

export class ConfigDescriptions {
  readonly #known = new WeakMap<Frame, DecoderDescription>();

  of(config: Frame | undefined): DecoderDescription | undefined {
    if (config === undefined) return undefined;
    let description = this.#known.get(config);
    if (description === undefined) {
      description = describeDecoderConfig(config.codec, config.data);
      this.#known.set(config, description);
    }
    return description;
  }
}
