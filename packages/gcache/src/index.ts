/** Exports for programs that embed the cache: a node, its operations, and the ports. */
export { SILENT_LOG } from "@sluice/base/log";
export { SILENT_METER } from "@sluice/base/meter";
export type { CacheName, Operation, OperationAnswer } from "@sluice/cache/state/operation";
export { NODE_CRYPTO } from "@sluice/runtime/node-crypto";
export { SystemClock } from "@sluice/runtime/system-clock";
export type { CacheNode } from "./node/cache-node.ts";
export type { CacheNodeOptions } from "./node/node-options.ts";
export { openCacheNode } from "./node/open-cache-node.ts";
