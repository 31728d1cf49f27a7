/**
 * The receipt of one conversation's last worker.
 *
 * @module
 */
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import type { Receipt } from "../../ipc/contract.ts";
import { ask } from "../app/bridge.ts";
import { ErrorView } from "../app/error-view.tsx";
import { Button } from "../design/button.tsx";
import { Dialog } from "../design/dialog.tsx";
import { Skeleton } from "../design/parts.tsx";
import { ReceiptView } from "./receipt-view.tsx";
import { SaveReceipts } from "./save-receipts.tsx";

interface Props {
  readonly node: string;
  readonly task: string | null;
  /** Where it was just given; otherwise it is asked for. */
  readonly given?: Receipt | undefined;
  readonly onClose: () => void;
}

export function ReceiptDialog({ node, task, given, onClose }: Props) {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery({
    queryKey: ["receipts.get", node, task],
    queryFn: () => ask("receipts.get", { node, task: task ?? "" }),
    enabled: task !== null && !given,
    staleTime: 0,
  });
  const receipt = given ?? data?.receipt;
  return (
    <Dialog
      title={t("receipts.one")}
      description={t(receipt ? "receipts.meaning" : "receipts.noneYet")}
      onClose={onClose}
      actions={<Button onClick={onClose}>{t("design.close")}</Button>}
    >
      {error && <ErrorView thrown={error} onRetry={() => void refetch()} />}
      {task !== null && !receipt && !data && !error && (
        <Skeleton lines={6} label={t("receipts.loading")} />
      )}
      {receipt && <ReceiptView receipt={receipt} />}
      {receipt && <SaveReceipts node={node} task={receipt.task} before={null} />}
    </Dialog>
  );
}
