// Whether anybody can see the page: false in a tab behind others.
import { Observable, type Readable } from "./observable.ts";

export function pageVisibility(): Readable<boolean> {
  const isVisible = new Observable(!document.hidden);
  document.addEventListener("visibilitychange", () => isVisible.set(!document.hidden));
  return isVisible;
}
