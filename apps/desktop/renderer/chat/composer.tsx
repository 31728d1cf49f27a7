/**
 * Where a person writes. Its one button sends, and stops while an answer is under way.
 *
 * @module
 */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { bridge } from "../app/bridge.ts";
import { IconButton } from "../design/button.tsx";
import { keepDraft } from "./draft.ts";
import { keyOf } from "./edit-question.tsx";
import { isSendKey } from "./send-key.ts";

interface Props {
  readonly conversation: string;
  readonly draft: string;
  readonly isBusy: boolean;
  /** Why nothing can be sent now; undefined where it can. */
  readonly obstacle: string | undefined;
  /** @returns whether the question was taken; where not, it stays in the field */
  readonly onSend: (text: string) => Promise<boolean>;
  readonly onStop: () => void;
}

export function Composer({ conversation, draft, isBusy, obstacle, onSend, onStop }: Props) {
  const { t } = useTranslation();
  const [text, setText] = useState(draft);
  const fieldRef = useRef<HTMLTextAreaElement>(null);
  const keeper = useMemo(
    () =>
      keepDraft((kept) => {
        void bridge.request("conversations.setDraft", { conversation, text: kept });
      }, draft),
    // The draft is read once: afterwards this field is what is true.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
    [conversation],
  );

  useEffect(() => {
    addEventListener("pagehide", keeper.flush);
    return () => {
      removeEventListener("pagehide", keeper.flush);
      keeper.flush();
    };
  }, [keeper]);
  useEffect(() => fieldRef.current?.focus(), []);
  useLayoutEffect(() => {
    const field = fieldRef.current;
    if (!field) return;
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight + 2, MAX_FIELD_PX)}px`;
  }, [text]);

  const change = (next: string) => {
    setText(next);
    keeper.change(next);
  };
  const canSend = text.trim() !== "" && obstacle === undefined && !isBusy;
  const send = async () => {
    if (!canSend) return;
    change("");
    keeper.flush();
    if (!(await onSend(text))) {
      // Something typed meanwhile stands after what came back.
      setText((now) => text + now);
      keeper.change(text);
    }
  };

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        if (isBusy) onStop();
        else void send();
      }}
    >
      <div className="composer-box">
        <textarea
          ref={fieldRef}
          rows={1}
          value={text}
          aria-label={t("chat.writeLabel")}
          placeholder={t("chat.write")}
          onChange={(event) => change(event.target.value)}
          onKeyDown={(event) => {
            if (!isSendKey(keyOf(event))) return;
            event.preventDefault();
            void send();
          }}
        />
        <IconButton
          type="submit"
          kind="primary"
          icon={isBusy ? "stop" : "send"}
          label={isBusy ? t("chat.stop") : t("chat.send")}
          disabled={!isBusy && !canSend}
        />
      </div>
      <p className="composer-hint">{obstacle ?? t("chat.hint")}</p>
    </form>
  );
}

/** About ten lines; more scrolls inside. */
const MAX_FIELD_PX = 240;
