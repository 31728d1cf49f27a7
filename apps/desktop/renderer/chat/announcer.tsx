/**
 * What a screen reader says about an answer: that it began, and how it ended. Never its pieces.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import type { AnswerOutcome } from "./answers.ts";
import type { LiveAnswer } from "./live-answer.ts";

interface Props {
  readonly live: LiveAnswer | undefined;
  readonly outcome: AnswerOutcome | undefined;
}

export function Announcer({ live, outcome }: Props) {
  const { t } = useTranslation();
  const text = () => {
    if (live?.phase === "queued") return t("chat.queued", { position: live.queuePosition ?? 1 });
    if (live?.phase === "retrying") return t("chat.announce.retrying");
    if (live) return t("chat.announce.started");
    if (outcome?.error) return t("chat.announce.failed", { message: outcome.error.message });
    return outcome ? t("chat.announce.complete") : "";
  };
  return (
    <div className="visually-hidden" role="status">
      {text()}
    </div>
  );
}
