/**
 * The node's models, and the two ways in which another one comes to it.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import type { NodeView } from "../../ipc/contract.ts";
import { ErrorView } from "../app/error-view.tsx";
import { PageBody, PageFrame } from "../app/page-frame.tsx";
import { useNodeStatus } from "../app/queries.ts";
import { Banner, Skeleton } from "../design/parts.tsx";
import { useWindow } from "../window/use-window.ts";
import { AddModel } from "./add-model.tsx";
import { AdminNote } from "./admin.tsx";
import { ModelList } from "./model-list.tsx";
import { PushModel } from "./push-model.tsx";
import { Transfers } from "./transfers.tsx";
import { WindowView } from "./window-view.tsx";
import "./models.css";

export function ModelsPage({ node }: { node: NodeView }) {
  const { t } = useTranslation();
  const { data, error, refetch } = useNodeStatus(node.id);
  const { data: window } = useWindow(node);
  return (
    <PageFrame title={t("models.title")}>
      <PageBody>
        <p className="lead">{t("models.meaning")}</p>
        <AdminNote node={node} />
        {error && <ErrorView thrown={error} onRetry={() => void refetch()} />}
        {!error && !data && <Skeleton lines={5} label={t("models.loading")} />}
        {data && (
          <>
            <ModelList node={node} models={data.models} />
            {window && <WindowView node={node} window={window} />}
            {node.policy === "none" ? (
              <NoWindow node={node} />
            ) : (
              <AddModel node={node} isOpen={Boolean(window?.open)} />
            )}
            <PushModel node={node} />
            {window && node.policy !== "none" && <Transfers window={window} />}
          </>
        )}
      </PageBody>
    </PageFrame>
  );
}

/** Without a policy nothing is closed, so there is nothing to open. */
function NoWindow({ node }: { node: NodeView }) {
  const { t } = useTranslation();
  return (
    <section>
      <h2>{t("models.add.title")}</h2>
      <Banner shape="box">
        <p>{t("models.add.noPolicy")}</p>
        {node.policyReason && <p>{node.policyReason}</p>}
      </Banner>
    </section>
  );
}
