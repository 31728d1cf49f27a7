/**
 * A question being rewritten. Sending it begins a branch; the old question and its answers stay.
 *
 * @module
 */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../design/button.tsx";
import { isSendKey } from "./send-key.ts";

interface Props {
  readonly text: string;
  readonly onCancel: () => void;
  readonly onSend: (text: string) => void;
}

export function EditQuestion({ text, onCancel, onSend }: Props) {
  const { t } = useTranslation();
  const [changed, setChanged] = useState(text);
  const canSend = changed.trim() !== "";
  return (
    <form
      className="edit-question"
      onSubmit={(event) => {
        event.preventDefault();
        if (canSend) onSend(changed);
      }}
    >
      <textarea
        // The person just asked to edit this very text.
        autoFocus
        className="field-input"
        aria-label={t("chat.editLabel")}
        rows={Math.min(12, changed.split("\n").length + 1)}
        value={changed}
        onChange={(event) => setChanged(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") onCancel();
          if (!isSendKey(keyOf(event)) || !canSend) return;
          event.preventDefault();
          onSend(changed);
        }}
      />
      <div className="edit-question-actions">
        <span className="field-hint">{t("chat.editHint")}</span>
        <Button onClick={onCancel}>{t("design.cancel")}</Button>
        <Button kind="primary" type="submit" disabled={!canSend}>
          {t("chat.send")}
        </Button>
      </div>
    </form>
  );
}

/** React wraps the event, and the input method's flag stands on the one inside. */
export function keyOf({ nativeEvent }: { readonly nativeEvent: KeyboardEvent }) {
  const { key, keyCode, isComposing, shiftKey, altKey } = nativeEvent;
  return { key, keyCode, isComposing, shiftKey, altKey };
}
