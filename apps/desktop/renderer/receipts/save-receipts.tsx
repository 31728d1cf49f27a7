/**
 * Saves one receipt, or all of them, as a file that anybody can check; says where it is.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import { ErrorView } from "../app/error-view.tsx";
import { useRequest } from "../app/queries.ts";
import { Button } from "../design/button.tsx";
import { CopyButton } from "../design/copy-button.tsx";

/** @param task `null` for every receipt that the node gives */
export function SaveReceipts({ node, task }: { node: string; task: string | null }) {
  const { t } = useTranslation();
  const save = useRequest("receipts.export");
  const { data, error, isPending, mutate } = save;
  return (
    <div className="save-receipts">
      <Button size="small" disabled={isPending} onClick={() => mutate({ node, task })}>
        {t(task === null ? "receipts.saveAll" : "receipts.save")}
      </Button>
      {error && <ErrorView thrown={error} onRetry={() => mutate({ node, task })} />}
      {data && (
        <p role="status">
          {t("receipts.saved")} <span className="code">{data.path}</span>
          <CopyButton
            text={`phantoma verify receipt ${data.path}`}
            label={t("receipts.copyCheck")}
          />
        </p>
      )}
    </div>
  );
}
