/**
 * The conversation as a scrolled list. Follows the end while the reader is there; draws the last
 * messages first and earlier ones as the reader comes near them.
 *
 * @module
 */
import {
  startTransition,
  useCallback,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
  type RefObject,
} from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../design/button.tsx";
import { Icon } from "../design/icon.tsx";
import { isAtEnd, nextFollowing, startFollowing } from "./follow-end.ts";
import type { Shown } from "./message-tree.ts";
import { MessageView } from "./message-view.tsx";

interface Props {
  readonly branch: readonly Shown[];
  readonly isBusy: boolean;
}

/** Two or three screens full. */
const FIRST_MESSAGES = 16;
const MORE_MESSAGES = 24;

export function MessageList({ branch, isBusy }: Props) {
  const { t } = useTranslation();
  const { viewRef, contentRef, isAway, jumpToEnd } = useFollowedEnd();
  const { count, moreRef, showMore } = useEarlier(viewRef);
  const first = Math.max(0, branch.length - count);
  const asked = branch.findLast(({ message }) => message.role === "user")?.message.id;

  // A person who has just asked wants to see the answer, wherever they were.
  useLayoutEffect(() => jumpToEnd(), [asked, jumpToEnd]);

  return (
    <div className="messages-frame">
      <div
        className="messages"
        ref={viewRef}
        tabIndex={0}
        role="group"
        aria-label={t("chat.messages")}
      >
        <div
          className="messages-content"
          ref={contentRef}
          role="log"
          aria-live="off"
          aria-busy={isBusy}
          aria-label={t("chat.messages")}
        >
          {first > 0 && (
            <div key={first} ref={moreRef} className="messages-earlier">
              <Button kind="quiet" onClick={showMore}>
                {t("chat.earlier", { count: first })}
              </Button>
            </div>
          )}
          {branch.slice(first).map(({ message, branch, branches }) => (
            <MessageView
              key={message.id}
              message={message}
              branch={branch}
              branchCount={branches.length}
              previous={branches[branch - 1]}
              next={branches[branch + 1]}
              isBusy={isBusy}
            />
          ))}
        </div>
      </div>
      {isAway && (
        <div className="jump-to-end">
          <Button
            onClick={() => {
              jumpToEnd();
              viewRef.current?.focus();
            }}
          >
            <Icon name="down" />
            {t("chat.jumpToEnd")}
          </Button>
        </div>
      )}
    </div>
  );
}

function useFollowedEnd() {
  const viewRef = useRef<HTMLDivElement>(null);
  const contentRef = useRef<HTMLDivElement>(null);
  const following = useRef(startFollowing);
  const [isAway, setIsAway] = useState(false);

  const jumpToEnd = useCallback(() => {
    const view = viewRef.current;
    if (!view) return;
    view.scrollTop = view.scrollHeight;
    following.current = {
      isFollowing: true,
      scrollTop: view.scrollTop,
      scrollHeight: view.scrollHeight,
    };
    setIsAway(false);
  }, []);

  useEffect(() => {
    const view = viewRef.current;
    const content = contentRef.current;
    if (!view || !content) return undefined;
    const onScroll = () => {
      following.current = nextFollowing(following.current, view);
      setIsAway(!following.current.isFollowing && !isAtEnd(view));
    };
    const observer = new ResizeObserver(() => {
      if (following.current.isFollowing) jumpToEnd();
    });
    observer.observe(content);
    observer.observe(view);
    view.addEventListener("scroll", onScroll, { passive: true });
    return () => {
      observer.disconnect();
      view.removeEventListener("scroll", onScroll);
    };
  }, [jumpToEnd]);

  return { viewRef, contentRef, isAway, jumpToEnd };
}

/** How many messages are drawn: more when the first of them comes near the view. */
function useEarlier(viewRef: RefObject<HTMLDivElement | null>) {
  const [count, setCount] = useState(FIRST_MESSAGES);
  const showMore = useCallback(() => {
    startTransition(() => setCount((before) => before + MORE_MESSAGES));
  }, []);
  const moreRef = useCallback(
    (mark: HTMLDivElement | null) => {
      if (!mark) return undefined;
      const observer = new IntersectionObserver(
        ([entry]) => {
          if (entry?.isIntersecting) showMore();
        },
        { root: viewRef.current, rootMargin: "400px 0px 0px 0px" },
      );
      observer.observe(mark);
      return () => observer.disconnect();
    },
    [showMore, viewRef],
  );
  return { count, moreRef, showMore };
}
