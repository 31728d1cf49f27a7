/**
 * One message of the branch that is shown, with what can be done with it.
 *
 * @module
 */
import { memo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Message } from "../../ipc/contract.ts";
import { Button, IconButton } from "../design/button.tsx";
import { CopyButton } from "../design/copy-button.tsx";
import { Icon } from "../design/icon.tsx";
import { Spinner } from "../design/parts.tsx";
import { Markdown } from "../markdown/markdown.tsx";
import { useChatActions } from "./actions.ts";
import { useLiveAnswer, useLiveText } from "./answers.ts";
import { EditQuestion } from "./edit-question.tsx";
import { formatDuration, formatRate } from "./format.ts";

interface Props {
  readonly message: Message;
  readonly branch: number;
  readonly branchCount: number;
  readonly previous: string | undefined;
  readonly next: string | undefined;
  /** An answer is under way somewhere in this conversation. */
  readonly isBusy: boolean;
}

export const MessageView = memo((props: Props) => {
  const { message } = props;
  const { t } = useTranslation();
  return (
    <article className="message" data-role={message.role} aria-label={t(`chat.by.${message.role}`)}>
      {message.role === "user" ? <Question {...props} /> : <Answer {...props} />}
    </article>
  );
});
MessageView.displayName = "MessageView";

function Question(props: Props) {
  const { message, isBusy } = props;
  const { t } = useTranslation();
  const actions = useChatActions();
  const [isEdited, setIsEdited] = useState(false);
  if (isEdited)
    return (
      <EditQuestion
        text={message.text}
        onCancel={() => setIsEdited(false)}
        onSend={(text) => {
          setIsEdited(false);
          void actions.ask(message.parent, text);
        }}
      />
    );
  return (
    <>
      <p className="message-question">{message.text}</p>
      <div className="message-actions">
        <Branches {...props} />
        <CopyButton text={message.text} label={t("chat.copy")} />
        <IconButton
          size="small"
          icon="edit"
          label={t("chat.edit")}
          disabled={isBusy}
          onClick={() => setIsEdited(true)}
        />
      </div>
    </>
  );
}

function Answer(props: Props) {
  const { message, isBusy } = props;
  const { t } = useTranslation();
  const actions = useChatActions();
  const liveText = useLiveText(actions.conversation, message.id);
  const isGrowing = liveText !== undefined || message.state === "streaming";
  const text = liveText ?? message.text;
  return (
    <>
      <Markdown text={text} isGrowing={isGrowing} />
      {isGrowing && text === "" && <Waiting />}
      {!isGrowing && <Ending message={message} isBusy={isBusy} />}
      <div className="message-actions" data-hidden={isGrowing || undefined}>
        <Branches {...props} />
        <Figures message={message} />
        <CopyButton text={text} label={t("chat.copy")} />
        <IconButton
          size="small"
          icon="redo"
          label={t("chat.regenerate")}
          disabled={isBusy}
          onClick={() => actions.regenerate(message.id)}
        />
      </div>
    </>
  );
}

/** Where nothing better is known; a place in the queue and a retry are shown above the composer. */
function Waiting() {
  const { t } = useTranslation();
  const phase = useLiveAnswer(useChatActions().conversation)?.phase;
  const isKnownBetter = phase === "queued" || phase === "retrying";
  return (
    <p className="message-waiting">
      {!isKnownBetter && (
        <>
          <Spinner />
          {t("chat.waiting")}
        </>
      )}
    </p>
  );
}

/** How an answer ended, where it did not simply end. */
function Ending({ message, isBusy }: { message: Message; isBusy: boolean }) {
  const { t } = useTranslation();
  const { regenerate } = useChatActions();
  const { state, errorCode, finishReason } = message;
  if (state === "stopped") return <p className="message-ending">{t("chat.ending.stopped")}</p>;
  if (state === "complete") {
    if (finishReason !== "length" && finishReason !== "context-full") return undefined;
    return <p className="message-ending">{t(`chat.ending.${finishReason}`)}</p>;
  }
  if (state !== "cut" && state !== "failed") return undefined;
  return (
    <div className="message-ending" data-tone="danger">
      <Icon name="warning" />
      <p>
        {t(`chat.ending.${state}`)} {errorCode && t(`errors.by.${errorCode}`)}{" "}
        {errorCode && <span className="code">{errorCode}</span>}
      </p>
      <Button size="small" disabled={isBusy} onClick={() => regenerate(message.id)}>
        {t("chat.tryAgain")}
      </Button>
    </div>
  );
}

function Branches({ branch, branchCount, previous, next, isBusy }: Props) {
  const { t } = useTranslation();
  const { showBranch } = useChatActions();
  if (branchCount < 2) return undefined;
  const step = (to: string | undefined, label: string, icon: "left" | "right") => (
    <IconButton
      size="small"
      icon={icon}
      label={label}
      disabled={isBusy || to === undefined}
      onClick={() => to !== undefined && showBranch(to)}
    />
  );
  return (
    <span className="branches" role="group" aria-label={t("chat.branches")}>
      {step(previous, t("chat.previousBranch"), "left")}
      <span className="number">{t("chat.branchOf", { n: branch + 1, m: branchCount })}</span>
      {step(next, t("chat.nextBranch"), "right")}
    </span>
  );
}

function Figures({ message: { metrics } }: { message: Message }) {
  const { t } = useTranslation();
  if (!metrics) return undefined;
  const { tokens, tokensPerSecond, firstTokenMs } = metrics;
  const figures = [
    t("chat.tokens", { count: tokens }),
    tokensPerSecond !== null && t("chat.rate", { rate: formatRate(tokensPerSecond) }),
    firstTokenMs !== null && t("chat.firstToken", { duration: formatDuration(firstTokenMs) }),
  ];
  return <span className="figures number">{figures.filter(Boolean).join(" · ")}</span>;
}
