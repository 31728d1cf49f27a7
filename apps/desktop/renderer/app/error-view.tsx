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
  const [meaning, action] = [t(`errors.by.${code}`), t(`errors.action.${code}`)];
  const isSaid = [meaning, action].some((text) => bare(text) === bare(message));
  return (
    <div role="alert">
      <Banner
        tone="danger"
        shape="box"
        action={onRetry && <Button onClick={onRetry}>{t("app.retry")}</Button>}
      >
        <p>
          <strong>{meaning}</strong> <span className="code">{code}</span>
        </p>
        <p>{action}</p>
        {!isSaid && <p className="field-hint">{message}</p>}
      </Banner>
    </div>
  );
}

/** Errors begin small and have no full stop; what the page says of them does. */
const bare = (text: string) => text.toLowerCase().replace(/\.$/, "");
