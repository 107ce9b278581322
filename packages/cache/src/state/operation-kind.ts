/** Numbers of the kinds of operation in the log. They never change their meaning. */
import type { Operation } from "./operation.ts";

/** Set in the first byte when a request id follows. */
export const REQUEST_BIT = 0x80;

export const KIND = {
  set: 1,
  delete: 2,
  expire: 3,
  increment: 4,
  "increment-float": 5,
  append: 6,
  flush: 7,
  batch: 16,
  found: 17,
  configure: 18,
  "flush-all": 19,
  "expire-due": 20,
  touch: 21,
  "lease-grant": 22,
  "lease-renew": 23,
  "lease-release": 24,
  "leases-expire": 25,
  look: 26,
  transaction: 27,
} as const satisfies Readonly<Record<Operation["type"], number>>;
