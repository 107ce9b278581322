// Draws the toasts in a corner, announced politely.
import { useObservable } from "../base/use-observable.ts";
import { useConsole } from "../console-context.ts";
import type { Toast } from "../live/toasts.ts";
import { IconButton } from "../ui/icon-button.tsx";

export function ToastStack() {
  const { toasts } = useConsole();
  const shown = useObservable(toasts.toasts);
  return (
    <div class="toasts" role="log" aria-live="polite" aria-label="Notifications">
      {shown.map((toast) => (
        <div key={toast.id} class={`toast toast-${toast.kind}`}>
          <span class="toast-mark" />
          <ToastText toast={toast} />
          <IconButton icon="close" label="Dismiss" onClick={() => toasts.dismiss(toast.id)} />
        </div>
      ))}
    </div>
  );
}

function ToastText({ toast }: { readonly toast: Toast }) {
  if (!toast.href) return <span class="toast-text">{toast.text}</span>;
  return (
    <a class="toast-text" href={toast.href}>
      {toast.text}
    </a>
  );
}
