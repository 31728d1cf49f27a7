/**
 * Leads to a conversation: the newest one, or a new one where there is none or one was asked for.
 *
 * @module
 */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { NodeView } from "../../ipc/contract.ts";
import { Skeleton } from "../design/parts.tsx";
import { ask, RequestRefused } from "./bridge.ts";
import { ErrorView } from "./error-view.tsx";
import { PageBody, PageFrame } from "./page-frame.tsx";
import { keys } from "./queries.ts";
import { addressOf } from "./routes.ts";

export function HomePage({ node, isNew }: { node: NodeView; isNew: boolean }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [thrown, setThrown] = useState<unknown>();
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    let isLeft = false;
    setThrown(undefined);
    findOrMake(node.id, isNew).then(
      (conversation) => {
        if (isLeft) return;
        void client.invalidateQueries({ queryKey: keys.conversations });
        location.replace(addressOf({ page: "chat", conversation }));
      },
      (error: unknown) => isLeft || setThrown(error),
    );
    return () => {
      isLeft = true;
    };
  }, [attempt, client, isNew, node.id]);

  return (
    <PageFrame title={t("chat.title")}>
      <PageBody>
        {thrown ? (
          <ErrorView thrown={thrown} onRetry={() => setAttempt((before) => before + 1)} />
        ) : (
          <Skeleton lines={4} label={t("chat.loading")} />
        )}
      </PageBody>
    </PageFrame>
  );
}

/** The conversation with this node that nobody has written in, or a new one. */
export const emptyConversation = (node: string) => findOrMake(node, true);

async function findOrMake(node: string, isNew: boolean): Promise<string> {
  const { conversations } = await ask("conversations.list", {});
  // One that nobody wrote in is as good as a new one.
  const unused = conversations.find((one) => one.messageCount === 0 && one.nodeId === node);
  const found = isNew ? unused : (conversations[0] ?? unused);
  if (found) return found.id;
  // A node that was just confirmed brings a person here twice within a moment.
  const begun = making.get(node) ?? make(node).finally(() => making.delete(node));
  making.set(node, begun);
  return begun;
}

/** Conversations on their way, by node. */
const making = new Map<string, Promise<string>>();

async function make(node: string): Promise<string> {
  const { models } = await ask("nodes.status", { node });
  const model = models[0];
  if (!model)
    throw new RequestRefused({
      code: "ERR_NO_MODEL",
      message: "the node has no model",
      action: "",
    });
  const made = await ask("conversations.create", {
    node,
    model: model.digest,
    mode: "conversation",
  });
  return made.id;
}
