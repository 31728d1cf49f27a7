/**
 * The receipts that the node still holds, newest first, a hundred at a time.
 *
 * @module
 */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { NodeView } from "../../ipc/contract.ts";
import { ErrorView } from "../app/error-view.tsx";
import { PageBody, PageFrame } from "../app/page-frame.tsx";
import { useReceipts } from "../app/queries.ts";
import { formatTime, shortHex } from "../chat/format.ts";
import { Button } from "../design/button.tsx";
import { Skeleton } from "../design/parts.tsx";
import { ReceiptView } from "./receipt-view.tsx";
import { SaveReceipts } from "./save-receipts.tsx";

export function ReceiptsPage({ node }: { node: NodeView }) {
  const { t, i18n } = useTranslation();
  const [before, setBefore] = useState<number | null>(null);
  const { data, error, refetch } = useReceipts(node.id, before);
  return (
    <PageFrame title={t("receipts.title")}>
      <PageBody>
        <p className="lead">{t("receipts.meaning")}</p>
        {error && <ErrorView thrown={error} onRetry={() => void refetch()} />}
        {!error && !data && <Skeleton lines={5} label={t("receipts.loading")} />}
        {data?.missing.map(({ epoch, from, to }) => (
          <p key={`${epoch}-${from}`} role="alert" className="receipts-missing">
            {t(from === to ? "receipts.missingOne" : "receipts.missing", { from, to })}
          </p>
        ))}
        {data && data.receipts.length > 0 && (
          <SaveReceipts node={node.id} task={null} before={before} />
        )}
        {data?.receipts.length === 0 && (
          <p className="nothing">{t(before === null ? "receipts.none" : "receipts.noneOlder")}</p>
        )}
        <div className="receipts">
          {data?.receipts.map((receipt) => (
            <details key={`${receipt.epoch}-${receipt.sequence}`} className="receipt">
              <summary>
                <span className="number">{formatTime(receipt.endedAt, i18n.language)}</span>
                <span className="code">{shortHex(receipt.task)}</span>
              </summary>
              <ReceiptView receipt={receipt} />
              <SaveReceipts node={node.id} task={receipt.task} before={null} />
            </details>
          ))}
        </div>
        <div className="receipts-pages">
          {before !== null && (
            <Button size="small" onClick={() => setBefore(null)}>
              {t("receipts.newest")}
            </Button>
          )}
          {data?.next && (
            <Button size="small" onClick={() => setBefore(data.next)}>
              {t("receipts.older")}
            </Button>
          )}
        </div>
      </PageBody>
    </PageFrame>
  );
}
