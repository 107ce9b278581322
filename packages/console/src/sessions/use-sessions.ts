// Follows the session list while a component is on screen.
import { useEffect } from "preact/hooks";
import { useObservable } from "../base/use-observable.ts";
import { useConsole } from "../console-context.ts";
import type { SessionsState } from "../live/session-list.ts";

/** @param key  a StreamKey; all sessions of the node without one */
export function useSessions(key = ""): SessionsState {
  const { sessions } = useConsole();
  useEffect(() => sessions.watch(key), [sessions, key]);
  return useObservable(sessions.state);
}
