/**
 * Whether the view follows the end of a growing conversation. The reader decides: who scrolls up
 * is left alone, who returns to the end is followed again. That an answer streams decides nothing.
 *
 * @module
 */

export interface View {
  readonly scrollTop: number;
  readonly scrollHeight: number;
  readonly clientHeight: number;
}

export interface Following {
  readonly isFollowing: boolean;
  /** Where the view stood when this was decided. */
  readonly scrollTop: number;
  readonly scrollHeight: number;
}

export const startFollowing: Following = { isFollowing: true, scrollTop: 0, scrollHeight: 0 };

/** Pixels from the end that still count as the end: about one line and a half. */
const END_PX = 36;

export function isAtEnd({ scrollTop, scrollHeight, clientHeight }: View): boolean {
  return scrollHeight - clientHeight - scrollTop <= END_PX;
}

/** After the view has scrolled, by whomever. */
export function nextFollowing(before: Following, view: View): Following {
  const { scrollTop, scrollHeight } = view;
  // Content that shrank pulls the view up as well; that was not the reader.
  const hasShrunk = scrollHeight < before.scrollHeight;
  const wentUp = scrollTop < before.scrollTop - 1 && !hasShrunk;
  const isFollowing = !wentUp && (before.isFollowing || isAtEnd(view));
  return { isFollowing, scrollTop, scrollHeight };
}
