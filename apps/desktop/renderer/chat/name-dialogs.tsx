/**
 * Renaming and removing a conversation.
 *
 * @module
 */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Conversation } from "../../ipc/contract.ts";
import { consoleErrorOf } from "../app/bridge.ts";
import { useRequest } from "../app/queries.ts";
import { Button } from "../design/button.tsx";
import { Dialog } from "../design/dialog.tsx";
import { useToast } from "../design/toasts.tsx";

/** What the contract admits. */
const MAX_TITLE_CHARS = 120;

interface Props {
  readonly conversation: Conversation;
  readonly onClose: () => void;
}

export function RenameDialog({ conversation, onClose }: Props) {
  const { t } = useTranslation();
  const tell = useToast();
  const [title, setTitle] = useState(conversation.title);
  const rename = useRequest("conversations.rename");
  const save = () =>
    rename.mutate(
      { conversation: conversation.id, title: title.trim() },
      {
        onSuccess: onClose,
        onError: (error) => tell(t("errors.shown", { ...consoleErrorOf(error) })),
      },
    );
  return (
    <Dialog
      title={t("chat.rename")}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t("design.cancel")}</Button>
          <Button kind="primary" disabled={rename.isPending} onClick={save}>
            {t("design.save")}
          </Button>
        </>
      }
    >
      <label className="field">
        {t("chat.titleLabel")}
        <input
          className="field-input"
          value={title}
          maxLength={MAX_TITLE_CHARS}
          onChange={(event) => setTitle(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && !event.nativeEvent.isComposing) save();
          }}
        />
      </label>
    </Dialog>
  );
}

export function RemoveDialog({
  conversation,
  onClose,
  onRemoved,
}: Props & { onRemoved: () => void }) {
  const { t } = useTranslation();
  const tell = useToast();
  const remove = useRequest("conversations.remove");
  // Awaited here: the console's event takes this page away before a mutation's own callbacks.
  const onRemove = async () => {
    try {
      await remove.mutateAsync({ conversation: conversation.id });
      onRemoved();
    } catch (error) {
      tell(t("errors.shown", { ...consoleErrorOf(error) }));
    }
  };
  return (
    <Dialog
      title={t("chat.removeTitle")}
      description={t("chat.removeText")}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t("design.cancel")}</Button>
          <Button kind="danger" disabled={remove.isPending} onClick={() => void onRemove()}>
            {t("chat.remove")}
          </Button>
        </>
      }
    />
  );
}
