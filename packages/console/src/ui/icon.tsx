// The console's icons: one path each on a 20 by 20 grid, drawn with the colour of the text.

const PATHS = {
  streams:
    "M2.5 12.5c1.9-1.7 3.7-1.7 5.6 0s3.7 1.7 5.6 0 2.9-1.6 3.8-1M2.5 7.8c1.9-1.7 3.7-1.7 5.6 0s3.7 1.7 5.6 0 2.9-1.6 3.8-1",
  sessions:
    "M7.5 9.3a2.9 2.9 0 1 0 0-5.8 2.9 2.9 0 0 0 0 5.8ZM2.4 16.5c.3-3 2.4-4.7 5.1-4.7s4.8 1.7 5.1 4.7M13 3.9a2.7 2.7 0 0 1 0 5M15.2 12.3c1.4.7 2.2 2.1 2.4 4.2",
  cluster:
    "M10 7.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4ZM4.6 16.6a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4ZM15.4 16.6a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4ZM8.9 6.9l-3.2 5.6M11.1 6.9l3.2 5.6M6.8 14.4h6.4",
  objects: "M10 2.8 16.5 6.4v7.2L10 17.2 3.5 13.6V6.4L10 2.8ZM3.7 6.6 10 10l6.3-3.4M10 10v7",
  leader: "M3.5 14.5 2.6 6.8l4.2 3L10 4.6l3.2 5.2 4.2-3-.9 7.7h-13Z",
  activity: "M2.5 10.5h3l2.4-6 4.2 11 2.4-5h3",
  viewers:
    "M1.9 10S4.8 4.8 10 4.8 18.1 10 18.1 10 15.2 15.2 10 15.2 1.9 10 1.9 10ZM10 12.4a2.4 2.4 0 1 0 0-4.8 2.4 2.4 0 0 0 0 4.8Z",
  play: "M6.2 4.1v11.8L15.8 10 6.2 4.1Z",
  stop: "M5.5 5.5h9v9h-9z",
  sound: "M3.2 7.8v4.4h2.9l3.7 3.2V4.6L6.1 7.8H3.2ZM12.8 7.4a3.7 3.7 0 0 1 0 5.2M15.1 5.2a6.8 6.8 0 0 1 0 9.6",
  "sound-off": "M3.2 7.8v4.4h2.9l3.7 3.2V4.6L6.1 7.8H3.2ZM13 8l4 4M17 8l-4 4",
  fullscreen: "M3.5 7.5v-4h4M12.5 3.5h4v4M16.5 12.5v4h-4M7.5 16.5h-4v-4",
  copy: "M7 7h9.5v9.5H7zM13 7V3.5H3.5V13H7",
  check: "M4 10.6l3.9 3.9L16 5.9",
  close: "M5 5l10 10M15 5L5 15",
  warning: "M10 3.2 18 16.8H2L10 3.2ZM10 8.2v4M10 14.4v.3",
  forward: "M7.5 4.5 13 10l-5.5 5.5",
  back: "M12.5 4.5 7 10l5.5 5.5",
  search: "M8.8 14.6a5.8 5.8 0 1 0 0-11.6 5.8 5.8 0 0 0 0 11.6ZM13 13l4 4",
  unplugged:
    "M3 17l3.2-3.2M14 6l3-3M5.2 9.2l5.6 5.6a3.4 3.4 0 0 1-4.8 0l-.8-.8a3.4 3.4 0 0 1 0-4.8ZM9.2 5.2l5.6 5.6a3.4 3.4 0 0 0 0-4.8L14 5.2a3.4 3.4 0 0 0-4.8 0Z",
  publish: "M10 13V3.5M6.3 7.2 10 3.5l3.7 3.7M3.5 12.5v4h13v-4",
  pattern: "M3.5 3.5h13v13h-13zM7.8 3.5v13M12.2 3.5v13M3.5 12h13",
  lock: "M5 9h10v7.5H5zM7 9V6.5a3 3 0 0 1 6 0V9",
  open: "M5 9h10v7.5H5zM7 9V6.5a3 3 0 0 1 5.8-1",
} as const;

export type IconName = keyof typeof PATHS;

export interface IconProps {
  readonly name: IconName;
  /** Pixels. */
  readonly size?: number;
}

export function Icon({ name, size = 18 }: IconProps) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
