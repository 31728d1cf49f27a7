/**
 * Puts what happened on the clipboard, without anything that says whose server it is.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import { ask, consoleErrorOf } from "../app/bridge.ts";
import { Button } from "../design/button.tsx";
import { useToast } from "../design/toasts.tsx";

export function CopyDiagnostics() {
  const { t } = useTranslation();
  const tell = useToast();
  const copy = async () => {
    const { text } = await ask("setup.diagnostics", {});
    await navigator.clipboard.writeText(text);
    tell(t("setup.diagnosticsCopied"));
  };
  return (
    <Button
      onClick={() =>
        void copy().catch((error: unknown) => tell(t("errors.shown", { ...consoleErrorOf(error) })))
      }
    >
      {t("setup.copyDiagnostics")}
    </Button>
  );
}
