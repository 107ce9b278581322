/** Keys about streams and viewers that hold for the whole node. */
import { DEFAULT_LAG_LIMITS } from "@sluice/media/limits";
import { type KeyTable, runningKey } from "../key.ts";
import { duration, printDuration, printSize, size } from "../kinds-units.ts";

export const DELIVERY_KEYS = {
  "delivery.lag.maxBytes": runningKey(
    size({ min: 65_536, max: 1_073_741_824 }),
    printSize(DEFAULT_LAG_LIMITS.maxBytes),
    "Bytes that may wait for one slow viewer before it is moved on to a later key frame.",
  ),
  "delivery.lag.maxAge": runningKey(
    duration({ min: 100, max: 600_000 }),
    printDuration(DEFAULT_LAG_LIMITS.maxAge),
    "Age of the oldest frame that may wait for one slow viewer before it is moved on to a later key frame.",
  ),
  "delivery.lag.stallTimeout": runningKey(
    duration({ min: 1_000, max: 3_600_000 }),
    printDuration(DEFAULT_LAG_LIMITS.stallTimeout),
    "How long a viewer may take nothing at all before it is disconnected.",
  ),
  "publish.firstFrameTimeout": runningKey(
    duration({ min: 1_000, max: 3_600_000 }),
    "20s",
    "How long an accepted publisher may send no media before it is disconnected.",
  ),
} as const satisfies KeyTable;
