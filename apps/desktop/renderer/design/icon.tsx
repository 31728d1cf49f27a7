/**
 * The console's icons: 16 × 16, one stroke, the colour of the text beside them.
 *
 * @module
 */
const paths = {
  plus: "M8 3v10M3 8h10",
  send: "M8 13V3M3.5 7.5 8 3l4.5 4.5",
  stop: "M4.5 4.5h7v7h-7z",
  copy: "M6 6h7v7H6zM10 6V3H3v7h3",
  check: "m3 8.5 3.2 3L13 4.5",
  redo: "M13 8a5 5 0 1 1-1.6-3.7M13 2.5V5h-2.5",
  edit: "m3 13 .6-2.8L10.8 3 13 5.2l-7.2 7.2zM9.4 4.4l2.2 2.2",
  left: "M10 3.5 5.5 8l4.5 4.5",
  right: "M6 3.5 10.5 8 6 12.5",
  down: "M8 3v10M3.5 8.5 8 13l4.5-4.5",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  warning: "M8 2.5 14 13H2zM8 6.5v3M8 11.4v.1",
  note: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM8 7.3v3.6M8 5.1v.1",
  node: "M2.5 3h11v4.2h-11zM2.5 8.8h11V13h-11zM5 5.1h.01M5 10.9h.01",
  model: "m8 1.8 5.4 3.1v6.2L8 14.2l-5.4-3.1V4.9zM2.8 5 8 8l5.2-3M8 8v6",
  egress: "M8 1.8 13 4v4c0 3-2.2 5.2-5 6.2C5.2 13.2 3 11 3 8V4zM5.8 8h4.4",
  health: "M1.8 8.5h3L6.5 4l3 8 1.7-3.5h3",
  devices: "M2 3.5h8.5v6H2zM4 12.5h4M12 6.5h2.5v6H12",
  update: "M8 2.5v7M5 6.5l3 3 3-3M3 11v2.5h10V11",
  receipt: "M4 2h8v12l-2-1.3-2 1.3-2-1.3L4 14zM6.3 5.5h3.4M6.3 8.2h3.4",
  settings: "M2.5 4.5h6M12 4.5h1.5M2.5 11.5H4M7.5 11.5h6M10.2 3v3M5.8 10v3",
  saved: "M3 3h8l2 2v8H3zM5.5 3v3.5h4V3M5.5 13V9.5h5V13",
  close: "m4 4 8 8M12 4l-8 8",
  trash: "M3 4.5h10M6.5 4V2.5h3V4M4.5 4.5 5 13.5h6l.5-9",
  power: "M8 2v6M4.7 4.2a5 5 0 1 0 6.6 0",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill={name === "stop" ? "currentColor" : "none"}
      stroke="currentColor"
      strokeWidth={name === "more" ? 2 : 1.5}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={paths[name]} />
    </svg>
  );
}
