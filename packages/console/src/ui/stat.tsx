// One labelled value of a description list.
import type { ComponentChildren } from "preact";

export interface StatProps {
  readonly label: string;
  readonly value: ComponentChildren;
  /** The long form, for the tooltip. */
  readonly title?: string;
}

export function Stat({ label, value, title }: StatProps) {
  return (
    <div class="stat" title={title}>
      <dt>{label}</dt>
      <dd>{value}</dd>
    </div>
  );
}
