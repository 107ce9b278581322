/** Data messages of a publisher: which of them set or clear what late joiners must be sent first. */
import { findMessageName } from "@sluice/amf/amf0-scan";

export type DataPurpose = "set-data-frame" | "clear-data-frame" | "message";

export interface DataBody {
  readonly purpose: DataPurpose;
  /** AMF0 values without the text that told the purpose, and without what stood before it; a view of the body. */
  readonly payload: Uint8Array;
}

const PURPOSES: Readonly<Record<string, DataPurpose>> = {
  "@setDataFrame": "set-data-frame",
  "@clearDataFrame": "clear-data-frame",
};

/** @param body  AMF0 values, of which nothing behind the first string is looked at. Never throws */
export function readDataBody(body: Uint8Array): DataBody {
  const found = findMessageName(body);
  const purpose = found === undefined ? undefined : PURPOSES[found.name];
  if (found === undefined || purpose === undefined) return { purpose: "message", payload: body };
  return { purpose, payload: body.subarray(found.endAt) };
}
