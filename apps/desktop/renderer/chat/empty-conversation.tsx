/**
 * A conversation before its first message: the only time when its mode and model can be chosen.
 *
 * @module
 */
import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Conversation } from "../../ipc/contract.ts";
import { ask, consoleErrorOf } from "../app/bridge.ts";
import { keys, useNodeStatus } from "../app/queries.ts";
import { goTo } from "../app/routes.ts";
import { Choice } from "../design/choice.tsx";
import { useToast } from "../design/toasts.tsx";
import { formatBytes } from "./format.ts";

export function EmptyConversation({ conversation }: { conversation: Conversation }) {
  const { t } = useTranslation();
  const replace = useReplace(conversation);
  const { data } = useNodeStatus(conversation.nodeId);
  const { mode, model } = conversation;
  const models = data?.models ?? [{ ...model, bytes: 0 }];
  return (
    <div className="empty-chat">
      <div className="empty-chat-choices">
        <label className="field">
          {t("chat.modelLabel")}
          <select
            className="field-input"
            value={model.digest}
            disabled={models.length < 2}
            onChange={(event) => void replace({ model: event.target.value, mode })}
          >
            {models.map(({ digest, name, bytes }) => (
              <option key={digest} value={digest}>
                {bytes > 0 ? t("chat.modelOption", { name, size: formatBytes(bytes) }) : name}
              </option>
            ))}
          </select>
        </label>
        <div className="field">
          <span id="mode-label">{t("chat.modeLabel")}</span>
          <Choice
            label={t("chat.modeLabel")}
            value={mode}
            options={[
              { value: "conversation", label: t("chat.mode.conversation") },
              { value: "turn", label: t("chat.mode.turn") },
            ]}
            onChange={(next) => void replace({ model: model.digest, mode: next })}
          />
          <p className="field-hint">{t(`chat.modeText.${mode}`)}</p>
        </div>
      </div>
    </div>
  );
}

/** A conversation's mode and model are fixed when it is made: another choice is another one. */
function useReplace({ id, nodeId }: Conversation) {
  const client = useQueryClient();
  const tell = useToast();
  const { t } = useTranslation();
  return async (choice: { model: string; mode: Conversation["mode"] }) => {
    try {
      // What was typed meanwhile goes along.
      const { draft } = await ask("conversations.get", { conversation: id });
      const made = await ask("conversations.create", { node: nodeId, ...choice });
      if (draft) await ask("conversations.setDraft", { conversation: made.id, text: draft });
      client.setQueryData(keys.conversation(made.id), { ...made, draft });
      goTo({ page: "chat", conversation: made.id });
      await ask("conversations.remove", { conversation: id });
    } catch (error) {
      tell(t("errors.shown", { ...consoleErrorOf(error) }));
    }
  };
}
