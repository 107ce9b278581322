/** Keys of guarding: tokens, signed URLs, hooks, address rules. */
import { type KeyTable, runningKey } from "../key.ts";
import { list, NETWORK } from "../kinds-lists.ts";
import { FLAG, HTTP_URL, optional, PATH, text } from "../kinds-plain.ts";
import { duration } from "../kinds-units.ts";

const SECRET = text({ accepts: "text of at least 16 characters", pattern: /^.{16,}$/s });
const NAME = text({ accepts: "text of 1 to 500 characters", pattern: /^.{1,500}$/ });
const NETWORKS = list(NETWORK);

const hook = (asked: string) =>
  runningKey(
    optional(HTTP_URL),
    undefined,
    `${asked} by a POST with JSON: 2xx allows, 3xx with Location redirects, anything else refuses with the answer's \`reason\`.`,
  );

export const AUTH_KEYS = {
  "auth.jwt.secret": {
    ...runningKey(optional(SECRET), undefined, "Shared secret of tokens signed with HS256."),
    secret: true,
  },
  "auth.jwt.secretFile": runningKey(
    optional(PATH),
    undefined,
    "File that holds that secret; line breaks around it are dropped.",
  ),
  "auth.jwt.publicKeyFile": runningKey(
    optional(PATH),
    undefined,
    "PEM file with the public key of tokens signed with RS256, ES256 or EdDSA.",
  ),
  "auth.jwt.jwksFile": runningKey(
    optional(PATH),
    undefined,
    "JWKS file with several such keys, chosen by a token's `kid`.",
  ),
  "auth.jwt.issuer": runningKey(optional(NAME), undefined, "The `iss` a token must carry."),
  "auth.jwt.audience": runningKey(optional(NAME), undefined, "The `aud` a token must carry."),
  "auth.signed.secret": {
    ...runningKey(optional(SECRET), undefined, "Secret of signed URLs, as `sluice sign` makes them."),
    secret: true,
  },
  "auth.signed.secretFile": runningKey(
    optional(PATH),
    undefined,
    "File that holds that secret; line breaks around it are dropped.",
  ),
  "auth.hooks.connect": hook("Asked at every RTMP `connect`, and before every play over HTTP and WebSocket,"),
  "auth.hooks.publish": hook("Asked before a publish where `auth.publish` lists `hook`,"),
  "auth.hooks.play": hook("Asked before a play where `auth.play` lists `hook`,"),
  "auth.hooks.done": runningKey(
    optional(HTTP_URL),
    undefined,
    "Told by a POST with JSON when a publish or play has ended; the answer is ignored.",
  ),
  "auth.hooks.token": {
    ...runningKey(
      optional(NAME),
      undefined,
      "Sent to the hooks as `Authorization: Bearer`, so that they know who asks.",
    ),
    secret: true,
  },
  "auth.hooks.timeout": runningKey(
    duration({ min: 100, max: 60_000 }),
    "3s",
    "How long a hook may take; no answer in time is a failure.",
  ),
  "auth.hooks.failOpen": runningKey(
    FLAG,
    "false",
    "Lets clients in when a hook fails; off, a failing hook refuses them.",
  ),
  "auth.address.allow": runningKey(NETWORKS, "", "Networks that may connect; empty allows all that are not denied."),
  "auth.address.deny": runningKey(NETWORKS, "", "Networks that may not connect; wins over every allow list."),
  "auth.address.publishAllow": runningKey(
    NETWORKS,
    "",
    "Networks that may publish; empty allows all that may connect.",
  ),
  "auth.address.publishDeny": runningKey(NETWORKS, "", "Networks that may not publish."),
  "auth.address.playAllow": runningKey(NETWORKS, "", "Networks that may play; empty allows all that may connect."),
  "auth.address.playDeny": runningKey(NETWORKS, "", "Networks that may not play."),
} as const satisfies KeyTable;
