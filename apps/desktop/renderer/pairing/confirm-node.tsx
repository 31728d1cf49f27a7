/**
 * Shows who the node says it is; nothing is sent to it before a person has confirmed.
 *
 * @module
 */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import type { ConsoleState, NodeView } from "../../ipc/contract.ts";
import { ErrorView } from "../app/error-view.tsx";
import { keys, useRequest } from "../app/queries.ts";
import { goTo } from "../app/routes.ts";
import { Button } from "../design/button.tsx";
import { FingerprintView } from "./fingerprint-view.tsx";

export function ConfirmNode({ node }: { node: NodeView }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const confirm = useRequest("nodes.confirm");
  const forget = useRequest("nodes.forget");
  const headingRef = useRef<HTMLHeadingElement>(null);
  // The page has changed under the person's hands: the heading says so.
  useEffect(() => headingRef.current?.focus(), []);

  // Awaited here: a mutation's own callbacks are dropped when the console's event has already
  // taken this page away.
  const onConfirm = async () => {
    const confirmed = await confirm.mutateAsync({ node: node.id }).catch(() => undefined);
    if (!confirmed) return;
    client.setQueryData<ConsoleState>(
      keys.state,
      (state) =>
        state && {
          ...state,
          nodes: state.nodes.map((old) => (old.id === confirmed.id ? confirmed : old)),
        },
    );
    goTo({ page: "new" });
  };
  return (
    <>
      <h1 tabIndex={-1} ref={headingRef}>
        {t("confirm.title", { name: node.name })}
      </h1>
      <p className="lead">{t(`confirm.text.${node.kind}`, { name: node.name })}</p>
      <FingerprintView fingerprint={node.fingerprint} />
      {confirm.error && <ErrorView thrown={confirm.error} />}
      {forget.error && <ErrorView thrown={forget.error} />}
      <div className="confirm-actions">
        <Button kind="primary" disabled={confirm.isPending} onClick={() => void onConfirm()}>
          {t("confirm.yes")}
        </Button>
        <Button disabled={forget.isPending} onClick={() => forget.mutate({ node: node.id })}>
          {t("confirm.no")}
        </Button>
      </div>
    </>
  );
}
