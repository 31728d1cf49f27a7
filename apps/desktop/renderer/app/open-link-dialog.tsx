/**
 * Asks before an address from an answer is opened, showing all of it.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import { Button } from "../design/button.tsx";
import { Dialog } from "../design/dialog.tsx";
import { useToast } from "../design/toasts.tsx";
import { ask, consoleErrorOf } from "./bridge.ts";
import { useLoadedState } from "./queries.ts";

export function OpenLinkDialog({ address, onClose }: { address: URL; onClose: () => void }) {
  const { t } = useTranslation();
  const tell = useToast();
  const canOpen = useLoadedState().shell === "electron" && address.protocol !== "http:";
  const open = () => {
    onClose();
    ask("links.open", { url: address.href }).catch((error: unknown) =>
      tell(t("errors.shown", { ...consoleErrorOf(error) })),
    );
  };
  const copy = () => {
    void navigator.clipboard.writeText(address.href).then(() => tell(t("link.copied")));
    onClose();
  };
  return (
    <Dialog
      title={t("link.title")}
      description={t("link.text")}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t("design.cancel")}</Button>
          <Button onClick={copy}>{t("link.copy")}</Button>
          {canOpen && (
            <Button kind="primary" onClick={open}>
              {t("link.open")}
            </Button>
          )}
        </>
      }
    >
      <p className="link-host">{address.host || address.pathname}</p>
      <p className="code">{address.href}</p>
    </Dialog>
  );
}
