// Whether the page is visible: false in a background tab.
import { Observable, type Readable } from "./observable.ts";

export function pageVisibility(): Readable<boolean> {
  const isVisible = new Observable(!document.hidden);
  document.addEventListener("visibilitychange", () => isVisible.set(!document.hidden));
  return isVisible;
}
