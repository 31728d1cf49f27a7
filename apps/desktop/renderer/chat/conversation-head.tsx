/**
 * Above the messages: title, model and mode, the worker's state with its countdown, and the end.
 *
 * @module
 */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Conversation, Receipt, Worker } from "../../ipc/contract.ts";
import { consoleErrorOf } from "../app/bridge.ts";
import { PageFrame } from "../app/page-frame.tsx";
import { keys, useRequest } from "../app/queries.ts";
import { goTo } from "../app/routes.ts";
import { Button } from "../design/button.tsx";
import { Menu } from "../design/menu.tsx";
import { Dot, Tag, type Tone } from "../design/parts.tsx";
import { useToast } from "../design/toasts.tsx";
import { ReceiptDialog } from "../receipts/receipt-dialog.tsx";
import { formatCountdown } from "./format.ts";
import { RemoveDialog, RenameDialog } from "./name-dialogs.tsx";
import { useNow } from "./use-now.ts";

interface Props {
  readonly conversation: Conversation;
  readonly isAnswering: boolean;
}

export function ConversationHead({ conversation, isAnswering }: Props) {
  const { t } = useTranslation();
  const [open, setOpen] = useState<"rename" | "remove" | "receipt">();
  const close = () => setOpen(undefined);
  const [receipt, setReceipt] = useState<Receipt>();
  const end = useEnd(conversation, (given) => {
    setReceipt(given);
    setOpen("receipt");
  });
  const { worker } = conversation;
  const save = useSave(conversation);
  return (
    <PageFrame
      title={conversation.title || t("chat.untitled")}
      about={
        <>
          <span className="ellipsis">{conversation.model.name}</span>
          <Tag>{t(`chat.mode.${conversation.mode}`)}</Tag>
        </>
      }
      actions={
        <>
          <WorkerState worker={worker} isAnswering={isAnswering} />
          {worker.state === "live" && (
            <Button kind="danger" size="small" disabled={end.isPending} onClick={end.run}>
              {t("chat.endNow")}
            </Button>
          )}
          <Menu
            label={t("chat.menu")}
            items={[
              { label: t("saved.save"), icon: "saved", onSelect: save },
              { label: t("chat.rename"), icon: "edit", onSelect: () => setOpen("rename") },
              { label: t("chat.receipt"), icon: "receipt", onSelect: () => setOpen("receipt") },
              {
                label: t("chat.remove"),
                icon: "trash",
                isDanger: true,
                onSelect: () => setOpen("remove"),
              },
            ]}
          />
          {open === "rename" && <RenameDialog conversation={conversation} onClose={close} />}
          {open === "remove" && (
            <RemoveDialog
              conversation={conversation}
              onClose={close}
              onRemoved={() => goTo({ page: "home" })}
            />
          )}
          {open === "receipt" && (
            <ReceiptDialog
              node={conversation.nodeId}
              task={worker.task}
              given={receipt?.task === worker.task ? receipt : undefined}
              onClose={close}
            />
          )}
        </>
      }
    />
  );
}

/** A choice for this conversation as it is now: nothing is saved by itself. */
function useSave({ id }: Conversation) {
  const request = useRequest("saved.save");
  const tell = useToast();
  const { t } = useTranslation();
  return () =>
    request.mutate(
      { conversation: id },
      {
        onSuccess: () => tell(t("saved.done")),
        onError: (error) => tell(t("errors.shown", { ...consoleErrorOf(error) })),
      },
    );
}

function useEnd({ id }: Conversation, onEnded: (receipt: Receipt) => void) {
  const request = useRequest("chat.end");
  const client = useQueryClient();
  const tell = useToast();
  const { t } = useTranslation();
  const run = () =>
    request.mutate(
      { conversation: id },
      {
        onSuccess: ({ receipt }) => {
          void client.invalidateQueries({ queryKey: keys.conversation(id) });
          if (receipt) onEnded(receipt);
          else tell(t("chat.endedWithoutReceipt"));
        },
        onError: (error) => tell(t("errors.shown", { ...consoleErrorOf(error) })),
      },
    );
  return { isPending: request.isPending, run };
}

const tones = {
  none: "plain",
  connecting: "caution",
  queued: "caution",
  live: "good",
  ended: "plain",
} as const satisfies Record<Worker["state"], Tone>;

function WorkerState({ worker, isAnswering }: { worker: Worker; isAnswering: boolean }) {
  const { t } = useTranslation();
  const { state, endReason, idleDeadline } = worker;
  if (state === "none") return undefined;
  const words =
    state === "ended" && endReason !== null
      ? t(`chat.workerEnded.${endReason}`)
      : t(`chat.worker.${state}`);
  return (
    <span className="worker-state">
      <Dot tone={tones[state]} />
      {words}
      {state === "live" && idleDeadline !== null && !isAnswering && <Countdown to={idleDeadline} />}
    </span>
  );
}

function Countdown({ to }: { to: number }) {
  const { t } = useTranslation();
  const now = useNow();
  return (
    <span className="number" role="timer">
      {t("chat.endsIn", { time: formatCountdown(to - now) })}
    </span>
  );
}
