// A value with a button that copies it.
import { Fragment } from "preact";
import { useEffect, useState } from "preact/hooks";
import { copyText } from "./copy-text.ts";
import { Icon } from "./icon.tsx";

export interface CopyFieldProps {
  readonly label: string;
  readonly value: string;
  /** Commands may wrap; addresses stay on one line and scroll. */
  readonly wraps?: boolean;
}

/** How long the check mark stays: visible, but gone before the next copy. */
const CONFIRMED = 1_600;

/** Each word in its own box, with real spaces between, so that manual selection copies the same text. */
function wordsOf(command: string) {
  return command.split(" ").map((word, index) => (
    <Fragment key={`${index} ${word}`}>
      {index > 0 && " "}
      <span class="copy-word">{word}</span>
    </Fragment>
  ));
}

export function CopyField({ label, value, wraps = false }: CopyFieldProps) {
  const [outcome, setOutcome] = useState<"copied" | "failed">();
  useEffect(() => {
    if (!outcome) return;
    const timer = setTimeout(() => setOutcome(undefined), CONFIRMED);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = async () => setOutcome((await copyText(value)) ? "copied" : "failed");
  return (
    <div class="copy-field">
      <span class="copy-label">{label}</span>
      <div class="copy-box">
        <code class={wraps ? "copy-value wraps" : "copy-value"}>{wraps ? wordsOf(value) : value}</code>
        <button type="button" class="copy-button" aria-label={`Copy ${label}`} title="Copy" onClick={() => void copy()}>
          <Icon name={outcome === "copied" ? "check" : "copy"} size={16} />
        </button>
      </div>
      <span class="visually-hidden" role="status">
        {outcome === "copied" ? `${label} copied` : outcome === "failed" ? "Copying failed" : ""}
      </span>
    </div>
  );
}
