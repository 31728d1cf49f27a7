/**
 * Which release runs and which waits, with who signed it; what the node tells a control plane; its licences.
 *
 * @module
 */
import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { NodeView, UpdateView } from "../../ipc/contract.ts";
import { ErrorView } from "../app/error-view.tsx";
import { PageBody, PageFrame } from "../app/page-frame.tsx";
import { keys, useReporting, useRequest, useUpdate } from "../app/queries.ts";
import { formatTime } from "../chat/format.ts";
import { Button } from "../design/button.tsx";
import { Facts } from "../design/facts.tsx";
import { Banner, Skeleton } from "../design/parts.tsx";
import { AdminNote, adminOnly } from "../models/admin.tsx";
import { Reports } from "./reports.tsx";
import "./updates.css";

export function UpdatesPage({ node }: { node: NodeView }) {
  const { t } = useTranslation();
  const update = useUpdate(node);
  const reporting = useReporting(node);
  const lookAgain = () => {
    void update.refetch();
    void reporting.refetch();
  };
  return (
    <PageFrame
      title={t("updates.title")}
      actions={
        <Button disabled={update.isFetching || reporting.isFetching} onClick={lookAgain}>
          {t("node.refresh")}
        </Button>
      }
    >
      <PageBody>
        <AdminNote node={node} />
        {update.error && <ErrorView thrown={update.error} onRetry={lookAgain} />}
        {update.isPending && <Skeleton lines={4} label={t("updates.loading")} />}
        {update.data && !update.error && <Release node={node} update={update.data} />}
        {reporting.error && <ErrorView thrown={reporting.error} onRetry={lookAgain} />}
        {reporting.data && !reporting.error && <Reports node={node} reporting={reporting.data} />}
      </PageBody>
    </PageFrame>
  );
}

function Release({ node, update }: { node: NodeView; update: UpdateView }) {
  const { t } = useTranslation();
  const { version, isAutomatic, waiting } = update;
  const client = useQueryClient();
  const policy = useRequest("updates.setPolicy");
  const setPolicy = () =>
    policy.mutate(
      { node: node.id, isAutomatic: !isAutomatic },
      { onSuccess: () => void client.invalidateQueries({ queryKey: keys.update(node.id) }) },
    );
  return (
    <>
      <section>
        <h2>{t("updates.versionTitle")}</h2>
        <Facts
          facts={[
            [t("updates.runs"), version],
            [t("updates.last"), useOutcomeText(update)],
            [t("updates.policy"), t(isAutomatic ? "updates.policyAutomatic" : "updates.policyAsk")],
          ]}
        />
        {policy.error && <ErrorView thrown={policy.error} />}
        <p>
          <Button {...adminOnly(node, policy.isPending)} onClick={setPolicy}>
            {t(isAutomatic ? "updates.setAsk" : "updates.setAutomatic")}
          </Button>
        </p>
      </section>
      {waiting ? <WaitingView node={node} waiting={waiting} /> : <Nothing />}
    </>
  );
}

function Nothing() {
  const { t } = useTranslation();
  return (
    <section>
      <p className="lead">{t("updates.nothing")}</p>
      <p className="field-hint">{t("updates.fromFile")}</p>
    </section>
  );
}

function WaitingView({
  node,
  waiting,
}: {
  node: NodeView;
  waiting: NonNullable<UpdateView["waiting"]>;
}) {
  const { t } = useTranslation();
  const { version, sha256, checks, refusal } = waiting;
  const approve = useRequest("updates.approve");
  return (
    <section>
      <h2>{t("updates.waitingTitle", { version })}</h2>
      <p className="lead">{t("updates.waitingText")}</p>
      <Facts facts={checks.map(({ name, detail }) => [name, detail] as const)} />
      {refusal ? (
        <Banner tone="danger" shape="box">
          <p>
            <strong>{t("updates.notARelease")}</strong> <span className="code">{refusal.code}</span>
          </p>
          <p>{refusal.message}</p>
          <p className="field-hint">{refusal.action}</p>
        </Banner>
      ) : (
        <p>
          <Button
            kind="primary"
            {...adminOnly(node, approve.isPending || approve.isSuccess)}
            onClick={() => approve.mutate({ node: node.id, sha256 })}
          >
            {t("updates.approve", { version })}
          </Button>
        </p>
      )}
      {approve.error && <ErrorView thrown={approve.error} />}
      {approve.isSuccess && <p role="status">{t("updates.approved")}</p>}
    </section>
  );
}

function useOutcomeText({ outcome }: UpdateView): string {
  const { t, i18n } = useTranslation();
  if (!outcome) return t("updates.lastNone");
  const { version, error, at } = outcome;
  const time = formatTime(at, i18n.language);
  return error === null
    ? t("updates.lastGood", { version, time })
    : t("updates.lastBad", { version, time, code: error });
}
