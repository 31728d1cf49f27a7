/**
 * Ending what changes a server is asked about once.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import { Button } from "../design/button.tsx";
import { Dialog } from "../design/dialog.tsx";

export function CancelDialog({ onClose, onCancel }: { onClose: () => void; onCancel: () => void }) {
  const { t } = useTranslation();
  return (
    <Dialog
      title={t("setup.install.cancelTitle")}
      description={t("setup.install.cancelText")}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t("setup.install.cancelKeep")}</Button>
          <Button
            kind="danger"
            onClick={() => {
              onClose();
              onCancel();
            }}
          >
            {t("setup.install.cancelDo")}
          </Button>
        </>
      }
    />
  );
}
