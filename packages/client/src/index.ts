/** What `@sluice/client` offers to programs: the SDK of `sluice.v1`. */
export { connect } from "./sdk/connect.ts";
export {
  Connection,
  type ConnectionState,
  type ConnectOptions,
  type Method,
  type SharedObjectOptions,
} from "./sdk/connection.ts";
export { type Batch, type ObjectEvents, SharedObject } from "./sdk/shared-object.ts";
export { SluiceError, type SluiceErrorCode } from "./sdk/sluice-error.ts";
export type { PlainObject, PlainValue } from "./contract/plain-value.ts";
export type { CurrentProperty, PositionText } from "./contract/sluice-v1.ts";
