// Follows the session list while a component is on screen.
import { useEffect } from "preact/hooks";
import { useObservable } from "../base/use-observable.ts";
import { useConsole } from "../console-context.ts";
import type { SessionsState } from "../live/session-list.ts";

export function useSessions(): SessionsState {
  const { sessions } = useConsole();
  useEffect(() => sessions.watch(), [sessions]);
  return useObservable(sessions.state);
}
