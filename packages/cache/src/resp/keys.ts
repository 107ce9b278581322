/** Keys in requests, and the reading of what stands there. */
import { DEFAULT_STATE_LIMITS } from "../state/limits.ts";
import type { CommandCall } from "./command.ts";
import { refuse } from "./errors.ts";
import type { RespRequest } from "./request.ts";

/** A view. @throws {CommandRefusal} when it is longer than a key may be */
export function keyArgument(request: RespRequest, index: number): Uint8Array {
  checkKeyLength(request, index);
  return request.argument(index);
}

/** @throws {CommandRefusal} */
export function checkKeyLength(request: RespRequest, index: number): void {
  const { keyBytes } = DEFAULT_STATE_LIMITS;
  if (request.lengthOf(index) > keyBytes) refuse(`ERR key is longer than ${keyBytes} bytes`);
}

/** Replies with the value of the key at `index`, or with nothing; copies it once, from where it stands. */
export function replyValue({ request, reply, client, backend, wall }: CommandCall, index: number): void {
  const cache = backend.store.state.findCache(client.cache);
  const slot = cache?.findLive(wall, request.bytes, request.startOf(index), request.lengthOf(index)) ?? 0;
  if (slot === 0 || cache === undefined) reply.none();
  else cache.table.readValue(slot, reply);
}
