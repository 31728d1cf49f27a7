/**
 * Small parts without behaviour: dot, tag, banner, skeleton, spinner.
 *
 * @module
 */
import type { ReactNode } from "react";
import { Icon } from "./icon.tsx";

export type Tone = "plain" | "good" | "caution" | "danger";

/** Never alone: the words beside it say the same, and its shape differs as well as its colour. */
export function Dot({ tone }: { tone: Tone }) {
  return <span className="dot" data-tone={tone} aria-hidden="true" />;
}

export function Tag({ tone, children }: { tone?: Tone; children: ReactNode }) {
  return (
    <span className="tag" data-tone={tone}>
      {children}
    </span>
  );
}

interface BannerProps {
  readonly tone?: Tone;
  /** strip: across the page's top · box: inside the page */
  readonly shape?: "strip" | "box";
  readonly children: ReactNode;
  readonly action?: ReactNode;
}

export function Banner({ tone = "plain", shape = "strip", children, action }: BannerProps) {
  return (
    <div className="banner" data-tone={tone} data-shape={shape}>
      <Icon name={tone === "plain" ? "note" : "warning"} />
      <div className="banner-text">{children}</div>
      {action}
    </div>
  );
}

/** Stands where text will be, with the same height, so that nothing jumps. */
export function Skeleton({ lines, label }: { lines: number; label: string }) {
  return (
    <div className="skeleton-lines" role="status" aria-label={label}>
      {Array.from({ length: lines }, (_, line) => (
        <span key={line} className="skeleton" data-line={line % 3} />
      ))}
    </div>
  );
}

export function Spinner() {
  return <span className="spinner" aria-hidden="true" />;
}
