/** What delivery did, counted once per batch, never once per frame and viewer. */

export class DeliveryCounts {
  /** Bytes handed to subscribers. */
  bytesOut = 0;
  /** Batches written to a subscriber. */
  writes = 0;
  /** Times a subscriber left its slice because its transport was full. */
  lags = 0;
  /** Times a lagging subscriber was moved to a later key frame. */
  skips = 0;
  /** Subscribers disconnected since they took nothing for too long. */
  stalls = 0;
}
