/** A memory engine's access to the logs of its store. */
import { checkKey, checkSequence, checkValue } from "../checks.ts";
import type { EngineLogs } from "../engine.ts";
import type { MemoryLink } from "./memory-link.ts";
import type { MemoryStore } from "./memory-store.ts";

export function openLogs(store: MemoryStore, link: MemoryLink): EngineLogs {
  return {
    append: async (log, expectedLast, value, options) => {
      link.checkOpen("append");
      checkKey(log);
      checkSequence(expectedLast, 0);
      checkValue(value);
      return link.exchange("append", "write", () =>
        store.once(options?.request, () => store.logs.append(log, expectedLast, value)),
      );
    },
    read: async (log, from) => {
      link.checkOpen("read");
      checkKey(log);
      checkSequence(from, 1);
      return link.exchange("read", "read", () => store.logs.read(log, from));
    },
  };
}
