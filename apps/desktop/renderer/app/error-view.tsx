/**
 * A failure in place of what should be there: what it means, its code, one thing to do.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import { Button } from "../design/button.tsx";
import { Banner } from "../design/parts.tsx";
import { consoleErrorOf } from "./bridge.ts";

export function ErrorView({ thrown, onRetry }: { thrown: unknown; onRetry?: () => void }) {
  const { t } = useTranslation();
  const { code, message } = consoleErrorOf(thrown);
  return (
    <div role="alert">
      <Banner
        tone="danger"
        shape="box"
        action={onRetry && <Button onClick={onRetry}>{t("app.retry")}</Button>}
      >
        <p>
          <strong>{t(`errors.by.${code}`)}</strong> <span className="code">{code}</span>
        </p>
        <p>{t(`errors.action.${code}`)}</p>
        <p className="field-hint">{message}</p>
      </Banner>
    </div>
  );
}
