/** An address in its two halves: where the path ends and the query goes on, whoever cut it where. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { joinAddress } from "@sluice/rtmp/stream-name";

/** As connect and publish say it, and what is meant. */
const SPLITS: readonly (readonly [
  app: string,
  query: string,
  name: string,
  path: string,
  queries: readonly string[],
])[] = [
  ["live", "", "cam", "live|cam", []],
  ["live", "", "cam?token=ab/cd", "live|cam", ["token=ab/cd"]],
  ["live", "vhost=x", "cam", "live|cam", ["vhost=x"]],
  ["live", "a=1", "cam?b=2", "live|cam", ["a=1", "b=2"]],
  ["live", "a=1", "cam?b=2&c=d/e", "live|cam", ["a=1", "b=2&c=d/e"]],
  ["live/slash", "token=ab", "cd&x=1", "live/slash|", ["token=ab/cd&x=1"]],
  ["live/slash", "token=ab", "cd==", "live/slash|", ["token=ab/cd=="]],
  ["live/slash", "x=1&token=ab", "c/d=", "live/slash|", ["x=1&token=ab/c/d="]],
  ["live/slash", "token=", "cd=", "live/slash|", ["token=/cd="]],
  ["live", "", "a&b=c", "live|a&b=c", []],
  ["live/room", "token=abc", "cam", "live/room|cam", ["token=abc"]],
  ["live/cam", "token=abc", "", "live/cam|", ["token=abc"]],
];

for (const [app, query, name, path, queries] of SPLITS) {
  test(`[NST150] "${app}" with "${query}", and "${name}"`, () => {
    const joined = joinAddress({ app, query }, name);
    assert.equal(joined.paths.join("|"), path);
    assert.deepEqual(joined.queries, queries);
  });
}
