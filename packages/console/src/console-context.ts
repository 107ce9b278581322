// Provides the console's stores to every component.
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { ConsoleRoot } from "./console-root.ts";

export const ConsoleContext = createContext<ConsoleRoot | undefined>(undefined);

export function useConsole(): ConsoleRoot {
  const root = useContext(ConsoleContext);
  if (!root) throw new Error("Cannot draw: no console root around this component");
  return root;
}
