/**
 * What the node says about itself, and what this console knows it by.
 *
 * @module
 */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { NodeView } from "../../ipc/contract.ts";
import { ErrorView } from "../app/error-view.tsx";
import { demoPolicyText, PageBody, PageFrame } from "../app/page-frame.tsx";
import { useNodeStatus, useRequest } from "../app/queries.ts";
import { addressOf, goTo } from "../app/routes.ts";
import { nodeTones } from "../app/sidebar.tsx";
import { formatBytes, formatTime, shortHex } from "../chat/format.ts";
import { Button } from "../design/button.tsx";
import { Dialog } from "../design/dialog.tsx";
import { Facts } from "../design/facts.tsx";
import { Banner, Dot, Skeleton } from "../design/parts.tsx";
import { ReleaseName } from "../receipts/release-name.tsx";
import { FingerprintView } from "../pairing/fingerprint-view.tsx";
import { EndpointSection } from "./endpoint-section.tsx";
import "../pairing/pairing.css";

export function NodePage({ node }: { node: NodeView }) {
  const { t, i18n } = useTranslation();
  const { data, error, isFetching, refetch } = useNodeStatus(node.id);
  const [isAsking, setIsAsking] = useState(false);
  const what = node.kind === "demo" ? "stop" : "forget";
  return (
    <PageFrame
      title={t("node.title")}
      actions={
        <>
          <Button disabled={isFetching} onClick={() => void refetch()}>
            {t("node.refresh")}
          </Button>
          <a className="button" href={addressOf({ page: "setup" })}>
            {t("node.setUp")}
          </a>
          <Button kind="danger" onClick={() => setIsAsking(true)}>
            {t(`node.${what}`)}
          </Button>
        </>
      }
    >
      <PageBody>
        {node.starter === "gateway" && (
          <Banner tone="caution" shape="box">
            <p>
              <strong>{t("demo.mark")}</strong>
            </p>
            <p>
              {t("demo.meaning")} {t(demoPolicyText(node))}
            </p>
          </Banner>
        )}
        <section>
          <h2>{node.name}</h2>
          <Facts
            facts={[
              [
                t("node.stateLabel"),
                <span key="state" className="worker-state">
                  <Dot tone={nodeTones[node.state]} />
                  {t(`node.state.${node.state}`)}
                </span>,
              ],
              [
                t("node.address"),
                <span key="url" className="code">
                  {node.url}
                </span>,
              ],
              [
                t("node.policyLabel"),
                <span key="policy">
                  {t(`node.policy.${node.policy ?? "unknown"}`)}{" "}
                  <a href={addressOf({ page: "egress" })}>{t("node.policyDetails")}</a>
                </span>,
              ],
              [t("node.starterLabel"), t(`node.starter.${node.starter}`)],
              [t("node.roleLabel"), t(`node.role.${node.role ?? "unknown"}`)],
            ]}
          />
          {node.policyReason && (
            <Banner shape="box">
              <p>
                <strong>{t("node.policyReason")}</strong>
              </p>
              <p>{node.policyReason}</p>
            </Banner>
          )}
        </section>
        <section>
          <h2>{t("node.status")}</h2>
          {error && <ErrorView thrown={error} onRetry={() => void refetch()} />}
          {!error && !data && <Skeleton lines={5} label={t("node.loading")} />}
          {data && (
            <Facts
              facts={[
                [t("node.version"), data.status.version],
                [t("node.release"), <ReleaseName key="release" digest={data.status.release} />],
                [t("node.startedAt"), formatTime(data.status.startedAt, i18n.language)],
                [t("node.tasksLive"), String(data.status.tasksLive)],
                [t("node.tasksDone"), String(data.status.tasksDone)],
                [t("node.deviceList"), String(data.status.deviceListVersion)],
              ]}
            />
          )}
        </section>
        {data && (
          <section>
            <h2>{t("node.models")}</h2>
            <Facts
              facts={data.models.map(({ name, bytes, digest }) => [
                name,
                <span key={digest}>
                  {formatBytes(bytes)} · <span className="code">{shortHex(digest)}</span>
                </span>,
              ])}
            />
          </section>
        )}
        {node.isConfirmed && <EndpointSection node={node.id} model={data?.models[0]?.name} />}
        <section>
          <h2>{t("node.fingerprint")}</h2>
          <FingerprintView fingerprint={node.fingerprint} />
        </section>
      </PageBody>
      {isAsking && <EndDialog node={node} what={what} onClose={() => setIsAsking(false)} />}
    </PageFrame>
  );
}

interface EndProps {
  readonly node: NodeView;
  /** A demo node is forgotten by being stopped: nothing of it is left. */
  readonly what: "stop" | "forget";
  readonly onClose: () => void;
}

function EndDialog({ node, what, onClose }: EndProps) {
  const { t } = useTranslation();
  const forget = useRequest("nodes.forget");
  return (
    <Dialog
      title={t(`node.${what}Title`, { name: node.name })}
      description={t(`node.${what}Text`)}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t("design.cancel")}</Button>
          <Button
            kind="danger"
            disabled={forget.isPending}
            onClick={() =>
              forget.mutate({ node: node.id }, { onSuccess: () => goTo({ page: "home" }) })
            }
          >
            {t(`node.${what}`)}
          </Button>
        </>
      }
    >
      {forget.error && <ErrorView thrown={forget.error} />}
    </Dialog>
  );
}
