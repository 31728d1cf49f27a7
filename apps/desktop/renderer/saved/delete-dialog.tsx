/**
 * Deleting a saved conversation, and in words what that does and does not reach.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import type { SavedSummary } from "../../ipc/contract.ts";
import { consoleErrorOf } from "../app/bridge.ts";
import { useRequest } from "../app/queries.ts";
import { Button } from "../design/button.tsx";
import { Dialog } from "../design/dialog.tsx";
import { useToast } from "../design/toasts.tsx";

export function DeleteDialog({ saved, onClose }: { saved: SavedSummary; onClose: () => void }) {
  const { t } = useTranslation();
  const tell = useToast();
  const remove = useRequest("saved.delete");
  const run = async () => {
    try {
      await remove.mutateAsync({ saved: saved.id });
      onClose();
    } catch (error) {
      tell(t("errors.shown", { ...consoleErrorOf(error) }));
    }
  };
  return (
    <Dialog
      title={t("saved.deleteTitle", { title: saved.title || t("chat.untitled") })}
      description={t("saved.deleteText")}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t("design.cancel")}</Button>
          <Button kind="danger" disabled={remove.isPending} onClick={() => void run()}>
            {t("saved.delete")}
          </Button>
        </>
      }
    />
  );
}
