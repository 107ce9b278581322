// Short notes that appear and disappear by themselves; errors stay until dismissed.
import { Observable, type Readable } from "../base/observable.ts";

export type ToastKind = "good" | "plain" | "warning" | "error";

export interface Toast {
  readonly id: number;
  readonly kind: ToastKind;
  readonly text: string;
  /** Hash to open on click, such as `#/streams/live/cam`. */
  readonly href?: string;
}

/** More would cover the page; the activity page has the rest. */
const MOST = 3;
/** Long enough to read a line, short enough not to pile up. */
const LIFE = 5_000;

export class Toasts {
  readonly #toasts = new Observable<readonly Toast[]>([]);
  #nextId = 1;

  get toasts(): Readable<readonly Toast[]> {
    return this.#toasts;
  }

  show(toast: Omit<Toast, "id">): void {
    const id = this.#nextId++;
    this.#toasts.set([...this.#toasts.get(), { ...toast, id }].slice(-MOST));
    if (toast.kind !== "error") setTimeout(() => this.dismiss(id), LIFE);
  }

  dismiss(id: number): void {
    const left = this.#toasts.get().filter((toast) => toast.id !== id);
    if (left.length < this.#toasts.get().length) this.#toasts.set(left);
  }
}
