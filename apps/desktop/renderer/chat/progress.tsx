/**
 * What happens between asking and the first text, and why nothing could be asked.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import type { ConsoleError } from "../../ipc/contract.ts";
import { IconButton } from "../design/button.tsx";
import { Banner, Spinner } from "../design/parts.tsx";
import type { LiveAnswer } from "./live-answer.ts";
import { useNow } from "./use-now.ts";

interface Props {
  readonly live: LiveAnswer | undefined;
  readonly refusal: ConsoleError | null;
  readonly onDismiss: () => void;
}

export function Progress({ live, refusal, onDismiss }: Props) {
  const { t } = useTranslation();
  if (live?.phase === "queued")
    return (
      <p className="progress">
        <Spinner />
        {t("chat.queued", { position: live.queuePosition ?? 1 })}
      </p>
    );
  if (live?.phase === "retrying" && live.retry)
    return (
      <p className="progress">
        <Spinner />
        <RetryCountdown at={live.retry.at} />
        <span className="code">{live.retry.error.code}</span>
      </p>
    );
  if (live || !refusal) return undefined;
  return (
    <Banner
      tone="danger"
      shape="box"
      action={
        <IconButton size="small" icon="close" label={t("design.close")} onClick={onDismiss} />
      }
    >
      <p>
        {t(`errors.by.${refusal.code}`)} <span className="code">{refusal.code}</span>
      </p>
      <p>{t(`errors.action.${refusal.code}`)}</p>
    </Banner>
  );
}

function RetryCountdown({ at }: { at: number }) {
  const { t } = useTranslation();
  const now = useNow();
  const seconds = Math.max(0, Math.ceil((at - now) / 1000));
  return seconds > 0 ? t("chat.retryingIn", { seconds }) : t("chat.reconnecting");
}
