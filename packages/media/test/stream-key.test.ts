/** Addresses: every spelling of one stream is one key. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { KEY_LIMITS } from "@sluice/media/limits";
import { applicationOf, findStreamKey, findStreamKeyOfUrl, type StreamKey, urlPathOf } from "@sluice/media/stream-key";
import fc from "fast-check";

const part = fc
  .string({ unit: "grapheme-ascii", minLength: 1, maxLength: 12 })
  .filter((text) => !/[/?%]/.test(text) && text !== "." && text !== "..");

test("[MED1] every split of a URL is one key", () => {
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), fc.nat(), fc.nat({ max: 3 }), (parts, cut, slashes) => {
      const at = cut % (parts.length + 1);
      const join = (some: readonly string[]): string => some.join("/".repeat(slashes + 1));
      const key = findStreamKeyOfUrl(`${join(parts.slice(0, at))}/?token=1`, `/${join(parts.slice(at))}`);
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
    { rule: "MED3", paths: ["live", "a%C2%9Bb"], key: undefined },
    { rule: "MED3", paths: ["live", "a\u009bb"], key: undefined },
    { rule: "MED150", paths: ["live", "cam\ufffd"], key: undefined },
    { rule: "MED150", paths: ["live", "cam%EF%BF%BD"], key: undefined },
    { rule: "MED150", paths: ["live", "cam%C3"], key: undefined },
    { rule: "MED150", paths: ["live", "cam%ED%A0%80"], key: undefined },
    { rule: "MED150", paths: ["live", "cam\ud800"], key: undefined },
    { rule: "MED150", paths: ["live", "\ufeffcam"], key: "live/\ufeffcam" },
    {
      rule: "MED4",
      paths: ["a/".repeat(KEY_LIMITS.keyParts)],
      key: "a/".repeat(KEY_LIMITS.keyParts).slice(0, -1),
    },
    { rule: "MED4", paths: [`${"a/".repeat(KEY_LIMITS.keyParts)}a`], key: undefined },
    { rule: "MED4", paths: ["x".repeat(KEY_LIMITS.keyCharacters)], key: "x".repeat(KEY_LIMITS.keyCharacters) },
    { rule: "MED4", paths: ["x".repeat(KEY_LIMITS.keyCharacters), "y"], key: undefined },
    { rule: "MED4", paths: ["x".repeat(KEY_LIMITS.keyCharacters + 1)], key: undefined },
    { rule: "MED4", paths: ["%E6%97%A5".repeat(KEY_LIMITS.keyCharacters)], key: "日".repeat(KEY_LIMITS.keyCharacters) },
    { rule: "MED4", paths: ["%E6%97%A5".repeat(KEY_LIMITS.keyCharacters + 1)], key: undefined },
  ];

for (const { rule, paths, key } of KEYS) {
  const shown = JSON.stringify(
    paths.map((path) => (path.length > 40 ? `${path.slice(0, 8)}… (${path.length})` : path)),
  );
  test(`[${rule}] ${shown}`, () => assert.equal(findStreamKeyOfUrl(...paths), key));
}
test("[MED3] any text gives a legal key or none, and never throws", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary", maxLength: 40 }), { maxLength: 3 }), (paths) => {
      const key = findStreamKeyOfUrl(...paths);
      if (key === undefined) return;
      assert.ok(key.length > 0 && key.length <= KEY_LIMITS.keyCharacters);
      for (const one of key.split("/")) assert.ok(one !== "" && one !== "." && one !== "..");
    }),
  );
});

const PLAIN: readonly (readonly [text: string, key: string | undefined])[] = [
  ["live/cam", "live/cam"],
  ["/live//cam/", "live/cam"],
  ["live/50%25", "live/50%25"],
  ["live/100%", "live/100%"],
  ["live/a?b", "live/a?b"],
  ["?", "?"],
  ["live/%2e%2e", "live/%2e%2e"],
  ["live/..", undefined],
  ["live/a\u0085b", undefined],
  ["live/\ud800", undefined],
  ["live/\ufffd", undefined],
  ["", undefined],
  ["x".repeat(KEY_LIMITS.keyCharacters + 1), undefined],
];

for (const [text, key] of PLAIN) {
  test(`[MED151] the text ${JSON.stringify(text.slice(0, 20))} is taken as it is`, () =>
    assert.equal(findStreamKey(text), key));
}

test("[MED152] every key can be said as a URL and as text, and stays the same key", () => {
  const unit = fc.constantFrom(
    "%",
    "?",
    "&",
    "=",
    "#",
    "+",
    ";",
    ":",
    "\\",
    " ",
    "a",
    "é",
    "日",
    "😀",
    "%2F",
    "%25",
    ".flv",
  );
  const name = fc.array(unit, { minLength: 1, maxLength: 6 }).map((units) => units.join(""));
  fc.assert(
    fc.property(fc.array(fc.oneof(name, part), { minLength: 1, maxLength: 4 }), (parts) => {
      const key = findStreamKey(parts.join("/"));
      assert.equal(key, parts.join("/"));
      const path = urlPathOf(key as StreamKey);
      assert.equal(findStreamKeyOfUrl(path), key);
      assert.equal(findStreamKeyOfUrl("", `${path}?token=a/b`), key);
      assert.match(path, /^[!-~]+$/, "a URL's characters alone");
      assert.doesNotMatch(path, /[?#\\]/);
    }),
  );
});
