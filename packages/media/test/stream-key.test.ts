/** Addresses: every spelling of one stream is one key. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { KEY_LIMITS } from "@sluice/media/limits";
import { applicationOf, findStreamKey, type StreamKey } from "@sluice/media/stream-key";
import fc from "fast-check";

const part = fc
  .string({ unit: "grapheme-ascii", minLength: 1, maxLength: 12 })
  .filter((text) => !/[/?%]/.test(text) && text !== "." && text !== "..");

test("[MED1] every split of a URL is one key", () => {
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), fc.nat(), fc.nat({ max: 3 }), (parts, cut, slashes) => {
      const at = cut % (parts.length + 1);
      const join = (some: readonly string[]): string => some.join("/".repeat(slashes + 1));
      const key = findStreamKey(`${join(parts.slice(0, at))}/?token=1`, `/${join(parts.slice(at))}`);
      assert.equal(key, parts.join("/"));
      assert.equal(applicationOf(key as StreamKey), parts[0]);
    }),
  );
});

const KEYS: readonly { readonly rule: string; readonly paths: readonly string[]; readonly key: string | undefined }[] =
  [
    { rule: "MED1", paths: ["live/room", "cam"], key: "live/room/cam" },
    { rule: "MED1", paths: ["live", "room/cam"], key: "live/room/cam" },
    { rule: "MED1", paths: ["live", "/room/cam/"], key: "live/room/cam" },
    { rule: "MED1", paths: ["live/room/cam", ""], key: "live/room/cam" },
    { rule: "MED2", paths: ["live?a=b/c", "cam?d"], key: "live/cam" },
    { rule: "MED2", paths: ["//live//", "//cam//"], key: "live/cam" },
    { rule: "MED2", paths: ["live", "caf%C3%A9"], key: "live/café" },
    { rule: "MED2", paths: ["live", "50%2525"], key: "live/50%25" },
    { rule: "MED2", paths: ["live", "a%3Fb"], key: "live/a?b" },
    { rule: "MED3", paths: ["", ""], key: undefined },
    { rule: "MED3", paths: ["?x", "/"], key: undefined },
    { rule: "MED3", paths: ["live", ".."], key: undefined },
    { rule: "MED3", paths: ["live", "a/./b"], key: undefined },
    { rule: "MED3", paths: ["live", "%2e%2e"], key: undefined },
    { rule: "MED3", paths: ["live", "a%2fb"], key: undefined },
    { rule: "MED3", paths: ["live", "a%00b"], key: undefined },
    { rule: "MED3", paths: ["live", "a\nb"], key: undefined },
    { rule: "MED3", paths: ["live", "a\x7fb"], key: undefined },
    { rule: "MED3", paths: ["live", "100%"], key: undefined },
    { rule: "MED3", paths: ["live", "%ff"], key: undefined },
    { rule: "MED3", paths: ["live", "..."], key: "live/..." },
    {
      rule: "MED4",
      paths: ["a/".repeat(KEY_LIMITS.keyParts)],
      key: "a/".repeat(KEY_LIMITS.keyParts).slice(0, -1),
    },
    { rule: "MED4", paths: [`${"a/".repeat(KEY_LIMITS.keyParts)}a`], key: undefined },
    { rule: "MED4", paths: ["x".repeat(KEY_LIMITS.keyCharacters)], key: "x".repeat(KEY_LIMITS.keyCharacters) },
    { rule: "MED4", paths: ["x".repeat(KEY_LIMITS.keyCharacters), "y"], key: undefined },
    { rule: "MED4", paths: ["x".repeat(KEY_LIMITS.keyCharacters + 1)], key: undefined },
  ];

for (const { rule, paths, key } of KEYS) {
  const shown = JSON.stringify(
    paths.map((path) => (path.length > 40 ? `${path.slice(0, 8)}… (${path.length})` : path)),
  );
  test(`[${rule}] ${shown}`, () => assert.equal(findStreamKey(...paths), key));
}
test("[MED3] any text gives a legal key or none, and never throws", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary", maxLength: 40 }), { maxLength: 3 }), (paths) => {
      const key = findStreamKey(...paths);
      if (key === undefined) return;
      assert.ok(key.length > 0 && key.length <= KEY_LIMITS.keyCharacters);
      for (const one of key.split("/")) assert.ok(one !== "" && one !== "." && one !== "..");
    }),
  );
});
