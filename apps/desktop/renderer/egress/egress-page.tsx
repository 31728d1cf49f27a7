/**
 * What the node's kernel refused to send, as the node reports it.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import type { NodeView } from "../../ipc/contract.ts";
import { ErrorView } from "../app/error-view.tsx";
import { PageBody, PageFrame } from "../app/page-frame.tsx";
import { formatTime } from "../chat/format.ts";
import { Banner, Skeleton } from "../design/parts.tsx";
import { AttemptList } from "./attempt-list.tsx";
import { CountsTable } from "./counts-table.tsx";
import { DaysBar } from "./days-bar.tsx";
import { PolicyView } from "./policy-view.tsx";
import { useEgress } from "./use-egress.ts";
import "./egress.css";

export function EgressPage({ node }: { node: NodeView }) {
  const { t, i18n } = useTranslation();
  const { data: log, error, refetch } = useEgress(node);
  return (
    <PageFrame title={t("egress.title")}>
      <PageBody>
        <p className="lead">{t("egress.meaning")}</p>
        {error && !log && <ErrorView thrown={error} onRetry={() => void refetch()} />}
        {error && log && (
          <Banner tone="caution" shape="box">
            <p>{t("egress.stale", { time: formatTime(log.readAt, i18n.language) })}</p>
          </Banner>
        )}
        {!error && !log && <Skeleton lines={6} label={t("egress.loading")} />}
        {log && (
          <>
            <PolicyView egress={log.egress} node={node} />
            {log.egress.policy && (
              <>
                <DaysBar days={log.egress.days} now={log.readAt} />
                <AttemptList log={log} />
                <CountsTable counts={log.egress.counts} />
              </>
            )}
          </>
        )}
      </PageBody>
    </PageFrame>
  );
}
