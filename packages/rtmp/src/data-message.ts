/** Data messages of a publisher: which of them set or clear what late joiners must hear first. */

export type DataPurpose = "set-data-frame" | "clear-data-frame" | "message";

export interface DataBody {
  readonly purpose: DataPurpose;
  /** AMF0 values without the text that told the purpose; a view of the body. */
  readonly payload: Uint8Array;
}

const AMF0_STRING = 2;
const SET_DATA_FRAME = "@setDataFrame";
const CLEAR_DATA_FRAME = "@clearDataFrame";

/** @param body  AMF0 values, of which only a first string is looked at */
export function readDataBody(body: Uint8Array): DataBody {
  if (startsWith(body, SET_DATA_FRAME))
    return { purpose: "set-data-frame", payload: body.subarray(3 + SET_DATA_FRAME.length) };
  if (startsWith(body, CLEAR_DATA_FRAME))
    return { purpose: "clear-data-frame", payload: body.subarray(3 + CLEAR_DATA_FRAME.length) };
  return { purpose: "message", payload: body };
}

function startsWith(body: Uint8Array, text: string): boolean {
  if (body.length < 3 + text.length || body[0] !== AMF0_STRING || body[1] !== 0 || body[2] !== text.length)
    return false;
  for (let i = 0; i < text.length; i++) if (body[3 + i] !== text.charCodeAt(i)) return false;
  return true;
}
