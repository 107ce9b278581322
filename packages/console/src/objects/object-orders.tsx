// Clear and forget an object, after confirmation.
import { useState } from "preact/hooks";
import { messageOf } from "../api/api-errors.ts";
import { useConsole } from "../console-context.ts";
import { Dialog } from "../ui/dialog.tsx";

export interface ObjectOrderProps {
  readonly path: string;
  readonly onDone: () => void;
}

export function ClearButton({ path, onDone }: ObjectOrderProps) {
  const { api } = useConsole();
  return (
    <OrderButton
      word="Clear"
      doing="Clearing"
      title={`Clear ${path}?`}
      deed={() => api.clearObject(path)}
      onDone={onDone}
    >
      All properties are removed, for everybody who has the object open.
    </OrderButton>
  );
}

export function ForgetButton({ path, clientCount, onDone }: ObjectOrderProps & { readonly clientCount: number }) {
  const { api } = useConsole();
  return (
    <OrderButton
      word="Forget"
      doing="Forgetting"
      title={`Forget ${path}?`}
      deed={() => api.forgetObject(path)}
      onDone={onDone}
      isDisabled={clientCount > 0}
      hint={clientCount > 0 ? "Clients use it" : ""}
    >
      It is removed from all nodes and, where it is durable, from the state engine.
    </OrderButton>
  );
}

interface OrderButtonProps {
  readonly word: string;
  readonly doing: string;
  readonly title: string;
  readonly deed: () => Promise<unknown>;
  readonly onDone: () => void;
  readonly isDisabled?: boolean;
  readonly hint?: string;
  readonly children: string;
}

function OrderButton({ word, doing, title, deed, onDone, isDisabled = false, hint = "", children }: OrderButtonProps) {
  const { toasts } = useConsole();
  const [at, setAt] = useState<"rest" | "asking" | "sending">("rest");
  const send = async () => {
    setAt("sending");
    try {
      await deed();
    } catch (error) {
      toasts.show({ kind: "error", text: messageOf(error) });
    }
    setAt("rest");
    onDone();
  };
  return (
    <>
      <button type="button" class="button danger" disabled={isDisabled} title={hint} onClick={() => setAt("asking")}>
        {word}
      </button>
      {at !== "rest" && (
        <Dialog title={title} onClose={() => setAt("rest")}>
          <p>{children}</p>
          <footer class="dialog-foot">
            <button type="button" class="button" onClick={() => setAt("rest")}>
              Keep
            </button>
            <button type="button" class="button danger-solid" disabled={at === "sending"} onClick={() => void send()}>
              {at === "sending" ? doing : word}
            </button>
          </footer>
        </Dialog>
      )}
    </>
  );
}
