/** Keys of how streams travel between nodes. */
import { type KeyTable, runningKey } from "../key.ts";
import { NODE_ID } from "../kinds-nodes.ts";
import { list } from "../kinds-lists.ts";

export const RELAY_KEYS = {
  "relay.from": runningKey(
    list(NODE_ID),
    "",
    "Ids of nodes that this one asks for a stream before its home, the first first: an edge that takes from an edge near it. Where none of them has it or can get it, the home is asked.",
  ),
} as const satisfies KeyTable;
