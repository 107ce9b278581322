/** Where rewritten bodies come from: Node's pool, as they live only until they are copied into a batch. */
import { Buffer } from "node:buffer";
import type { RewriteOptions } from "@sluice/formats/flv/rewrite";

export const rewriteAllocator: RewriteOptions = {
  allocator: { allocate: (byteCount) => Buffer.allocUnsafe(byteCount) },
};
