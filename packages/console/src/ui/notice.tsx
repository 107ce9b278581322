// A page's worth of nothing: loading failed, nothing found, nothing yet.
import type { ComponentChildren } from "preact";
import { Icon, type IconName } from "./icon.tsx";

export interface NoticeProps {
  readonly icon: IconName;
  readonly title: string;
  readonly children?: ComponentChildren;
}

export function Notice({ icon, title, children }: NoticeProps) {
  return (
    <div class="notice">
      <span class="notice-icon">
        <Icon name={icon} size={22} />
      </span>
      <h2>{title}</h2>
      {children}
    </div>
  );
}
