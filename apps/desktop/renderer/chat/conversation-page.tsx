/**
 * One conversation: its head, its messages, its composer.
 *
 * @module
 */
import { useCallback, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Conversation } from "../../ipc/contract.ts";
import { ErrorView } from "../app/error-view.tsx";
import { useIsConnected } from "../app/connection.ts";
import { PageBody, PageFrame } from "../app/page-frame.tsx";
import { useConversation } from "../app/queries.ts";
import { Skeleton } from "../design/parts.tsx";
import { ChatActionsGround, useActionsOf } from "./actions.ts";
import { Announcer } from "./announcer.tsx";
import { stopAnswer, useLiveAnswer, type AnswerOutcome } from "./answers.ts";
import { Composer } from "./composer.tsx";
import { ConversationHead } from "./conversation-head.tsx";
import { EmptyConversation } from "./empty-conversation.tsx";
import { MessageList } from "./message-list.tsx";
import { shownBranch } from "./message-tree.ts";
import { Progress } from "./progress.tsx";
import "./chat.css";

export function ConversationPage({ id }: { id: string }) {
  const { t } = useTranslation();
  const { data, error, refetch } = useConversation(id);
  if (data) return <LoadedConversation key={id} conversation={data} />;
  return (
    <PageFrame title={t("chat.title")}>
      <PageBody>
        {error ? (
          <ErrorView thrown={error} onRetry={() => void refetch()} />
        ) : (
          <Skeleton lines={6} label={t("chat.loading")} />
        )}
      </PageBody>
    </PageFrame>
  );
}

function LoadedConversation({ conversation }: { conversation: Conversation }) {
  const { t } = useTranslation();
  const isConnected = useIsConnected();
  const live = useLiveAnswer(conversation.id);
  const [outcome, setOutcome] = useState<AnswerOutcome>();
  const onOutcome = useCallback((next: AnswerOutcome | undefined) => setOutcome(next), []);
  const actions = useActionsOf(conversation.id, onOutcome);
  const { messages, head } = conversation;
  const branch = useMemo(() => shownBranch(messages, head), [messages, head]);
  const isBusy = live !== undefined || branch.at(-1)?.message.state === "streaming";
  const refusal = outcome?.wasStarted === false ? outcome.error : null;

  return (
    <ChatActionsGround value={actions}>
      <ConversationHead conversation={conversation} isAnswering={isBusy} />
      {branch.length === 0 ? (
        <EmptyConversation conversation={conversation} />
      ) : (
        <MessageList branch={branch} isBusy={isBusy} />
      )}
      <div className="chat-foot">
        <Progress live={live} refusal={refusal} onDismiss={() => setOutcome(undefined)} />
        <Composer
          conversation={conversation.id}
          draft={conversation.draft}
          isBusy={isBusy}
          obstacle={isConnected ? undefined : t("chat.obstacle.disconnected")}
          onSend={async (text) => (await actions.ask(head, text)).wasStarted}
          onStop={() => stopAnswer(conversation.id)}
        />
      </div>
      <Announcer live={live} outcome={outcome} />
    </ChatActionsGround>
  );
}
