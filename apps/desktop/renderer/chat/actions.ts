/**
 * What a person can do with one conversation. Stable for its life, so that messages need not be
 * drawn again.
 *
 * @module
 */
import { useQueryClient } from "@tanstack/react-query";
import { createContext, use, useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Conversation } from "../../ipc/contract.ts";
import { ask, consoleErrorOf } from "../app/bridge.ts";
import { keys } from "../app/queries.ts";
import { useToast } from "../design/toasts.tsx";
import { startAnswer, type AnswerOutcome } from "./answers.ts";
import { newestEnd } from "./message-tree.ts";

export interface ChatActions {
  readonly conversation: string;
  readonly ask: (parent: string | null, text: string) => Promise<AnswerOutcome>;
  readonly regenerate: (message: string) => void;
  readonly showBranch: (message: string) => void;
}

const Actions = createContext<ChatActions | undefined>(undefined);
export const ChatActionsGround = Actions;

export function useChatActions(): ChatActions {
  const actions = use(Actions);
  if (!actions) throw new Error("a message is drawn outside a conversation");
  return actions;
}

export function useActionsOf(
  conversation: string,
  onOutcome: (outcome: AnswerOutcome | undefined) => void,
): ChatActions {
  const client = useQueryClient();
  const tell = useToast();
  const { t } = useTranslation();
  return useMemo(() => {
    const start = async (input: Parameters<typeof startAnswer>[1]) => {
      onOutcome(undefined);
      const outcome = await startAnswer(client, input);
      onOutcome(outcome);
      return outcome;
    };
    return {
      conversation,
      ask: (parent, text) => start({ conversation, parent, text }),
      regenerate: (message) => void start({ conversation, regenerate: message }),
      showBranch: (message) => {
        const key = keys.conversation(conversation);
        const before = client.getQueryData<Conversation>(key);
        if (!before) return;
        const head = newestEnd(before.messages, message);
        client.setQueryData<Conversation>(key, { ...before, head });
        ask("conversations.setHead", { conversation, message }).catch((error: unknown) => {
          tell(t("errors.shown", { ...consoleErrorOf(error) }));
          void client.invalidateQueries({ queryKey: key });
        });
      },
    };
  }, [client, conversation, onOutcome, tell, t]);
}
