/** Keys of the listeners: ports, TLS, RTMP's own numbers, HTTP and the admin interface. */
import { type KeyTable, key, runningKey } from "../key.ts";
import { list, ORIGIN } from "../kinds-lists.ts";
import { choice, FLAG, integer, optional, PATH, PORT, text, wordOr } from "../kinds-plain.ts";
import { duration } from "../kinds-units.ts";

const SECRET = text({ accepts: "text of at least 16 characters", pattern: /^.{16,}$/s });

export const LISTENER_KEYS = {
  "rtmp.port": { ...key(wordOr("off", PORT), "1935", "RTMP listener."), shifts: true },
  "rtmps.port": key(
    wordOr("off", PORT),
    "off",
    "RTMP over TLS; needs `tls.cert` and `tls.key`. The usual number is 1936 or 443.",
  ),
  "http.port": {
    ...key(wordOr("off", PORT), "8080", "HTTP listener: HTTP-FLV, WebSocket, admin interface, console, metrics."),
    shifts: true,
  },
  "https.port": key(wordOr("off", PORT), "off", "The same over TLS; needs `tls.cert` and `tls.key`."),
  "tls.cert": runningKey(optional(PATH), undefined, "PEM file with the certificate and its chain."),
  "tls.key": runningKey(optional(PATH), undefined, "PEM file with the private key of `tls.cert`."),
  "rtmp.chunkSize": key(
    integer({ min: 128, max: 65_536 }),
    "60000",
    "Bytes of one chunk that this server sends. It never changes within a connection, so that one encoding serves every player.",
  ),
  "rtmp.windowAckSize": key(
    integer({ min: 1_000, max: 2_147_483_647 }),
    "10000000",
    "Bytes after which a peer owes an Acknowledgement.",
  ),
  "rtmp.pingInterval": runningKey(
    duration({ min: 0, max: 3_600_000 }),
    "30s",
    "After how long a silence a peer of RTMP or `sluice.v1` is asked for a sign of life; 0 never asks.",
  ),
  "redirect.rtmp302": runningKey(
    FLAG,
    "false",
    "Redirects from hooks reach RTMP clients as `Connect.Rejected` with code 302. Off, such a client is refused, because many programs cannot follow it.",
  ),
  "http.cors.origins": runningKey(
    list(ORIGIN),
    "*",
    "Origins whose pages may read HTTP-FLV; an empty list allows none. Does not open the admin interface.",
  ),
  "http.publish.origins": runningKey(
    list(ORIGIN),
    "",
    "Origins whose pages may publish over WebSocket (subprotocol `rtmp`) and open shared objects (`sluice.v1`), beside this server's own pages; `*` allows every page. A page publishes with the address of whoever looks at it.",
  ),
  "admin.token": {
    ...runningKey(
      optional(SECRET),
      undefined,
      "Token for `/api/v1`, `/console/` and `/metrics`, sent as `Authorization: Bearer`; needed from everywhere once it is set. Without one they answer only direct calls of this machine's own programs and pages; never leave it out behind a reverse proxy.",
    ),
    secret: true,
  },
  "admin.tokenFile": runningKey(
    optional(PATH),
    undefined,
    "File that holds the admin token; line breaks around it are dropped.",
  ),
  "play.legacyFourCc": runningKey(
    choice("forward", "withhold"),
    "forward",
    "What a player that announced no `fourCcList` gets of an enhanced codec such as HEVC or AV1: `forward` sends it as it is (newer ffmpeg and VLC understand it), `withhold` sends such a player audio only.",
  ),
} as const satisfies KeyTable;
