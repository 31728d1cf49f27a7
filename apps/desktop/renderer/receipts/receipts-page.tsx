/**
 * Every receipt the node still holds, newest first.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import type { NodeView } from "../../ipc/contract.ts";
import { ErrorView } from "../app/error-view.tsx";
import { PageBody, PageFrame } from "../app/page-frame.tsx";
import { useDoctor, useReceipts } from "../app/queries.ts";
import { formatTime, shortHex } from "../chat/format.ts";
import { Skeleton } from "../design/parts.tsx";
import { ReceiptView } from "./receipt-view.tsx";
import { SaveReceipts } from "./save-receipts.tsx";

export function ReceiptsPage({ node }: { node: NodeView }) {
  const { t, i18n } = useTranslation();
  const { data, error, refetch } = useReceipts(node.id);
  const { data: doctor } = useDoctor(node);
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
        {data && data.receipts.length > 0 && <SaveReceipts node={node.id} task={null} />}
        {data?.receipts.length === 0 && <p className="nothing">{t("receipts.none")}</p>}
        <div className="receipts">
          {data?.receipts.map((receipt) => (
            <details key={`${receipt.epoch}-${receipt.sequence}`} className="receipt">
              <summary>
                <span className="number">{formatTime(receipt.endedAt, i18n.language)}</span>
                <span className="code">{shortHex(receipt.task)}</span>
              </summary>
              <ReceiptView receipt={receipt} grade={doctor?.grade} />
              <SaveReceipts node={node.id} task={receipt.task} />
            </details>
          ))}
        </div>
      </PageBody>
    </PageFrame>
  );
}
