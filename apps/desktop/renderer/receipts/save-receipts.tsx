/**
 * Saves one receipt, or all of them, as a file that anybody can check; says where it is.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import type { RequestInput } from "../../ipc/contract.ts";
import { ErrorView } from "../app/error-view.tsx";
import { useRequest } from "../app/queries.ts";
import { Button } from "../design/button.tsx";
import { CopyButton } from "../design/copy-button.tsx";
import { quoted } from "../node/endpoint-examples.tsx";

/** @param asked with no task, the whole list that begins before a number */
export function SaveReceipts(asked: RequestInput<"receipts.export">) {
  const { t } = useTranslation();
  const save = useRequest("receipts.export");
  const { data, error, isPending, mutate } = save;
  return (
    <div className="save-receipts">
      <Button size="small" disabled={isPending} onClick={() => mutate(asked)}>
        {t(asked.task === null ? "receipts.saveAll" : "receipts.save")}
      </Button>
      {error && <ErrorView thrown={error} onRetry={() => mutate(asked)} />}
      {data && (
        <p role="status">
          {t("receipts.saved")} <span className="code">{data.path}</span>
          <CopyButton
            text={`phantoma verify receipt ${quoted(data.path)}`}
            label={t("receipts.copyCheck")}
          />
        </p>
      )}
    </div>
  );
}
