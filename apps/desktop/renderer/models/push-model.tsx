/**
 * Sends a model file from this machine: chosen, hashed, sent, stored; cancelled and continued.
 *
 * @module
 */
import { useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import type { NodeView } from "../../ipc/contract.ts";
import { formatBytes } from "../chat/format.ts";
import { Button } from "../design/button.tsx";
import { Banner, Dot, Spinner } from "../design/parts.tsx";
import { adminOnly } from "./admin.tsx";
import {
  cancelUpload,
  dismissUpload,
  isUploading,
  startUpload,
  useUpload,
  type Upload,
} from "./upload.ts";

export function PushModel({ node }: { node: NodeView }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const field = useRef<HTMLInputElement>(null);
  const upload = useUpload();
  const isBusy = upload !== undefined && isUploading(upload);
  return (
    <section>
      <h2>{t("models.push.title")}</h2>
      <p className="lead">{t("models.push.text")}</p>
      {upload && (
        <UploadView upload={upload} onAgain={() => startUpload(client, node.id, upload.file)} />
      )}
      {!isBusy && (
        <>
          <input
            ref={field}
            type="file"
            accept=".gguf"
            hidden
            aria-label={t("models.push.choose")}
            onChange={({ target }) => {
              const file = target.files?.[0];
              // The same file may be chosen again.
              target.value = "";
              if (file) startUpload(client, node.id, file);
            }}
          />
          <Button id="choose-model" {...adminOnly(node)} onClick={() => field.current?.click()}>
            {t("models.push.choose")}
          </Button>
        </>
      )}
    </section>
  );
}

function UploadView({ upload, onAgain }: { upload: Upload; onAgain: () => void }) {
  const { t } = useTranslation();
  const { stage, name, done, file, resumedAt, error } = upload;
  if (stage === "stored")
    return (
      <p className="upload-done" role="status">
        <Dot tone="good" />
        {t("models.push.stored", { name })}
      </p>
    );
  if (stage === "failed" || stage === "cancelled")
    return (
      <div role="alert">
        <Banner
          tone={stage === "failed" ? "danger" : "plain"}
          shape="box"
          action={
            <span className="window-actions">
              {error?.code !== "ERR_NOT_GGUF" && (
                <Button size="small" onClick={onAgain}>
                  {t("models.push.again")}
                </Button>
              )}
              <Button size="small" kind="quiet" onClick={dismissUpload}>
                {t("models.push.dismiss")}
              </Button>
            </span>
          }
        >
          {stage === "cancelled" || !error ? (
            <p>{t("models.push.cancelled")}</p>
          ) : (
            <>
              <p>
                <strong>{t("models.push.failed", { name })}</strong> {t(`errors.by.${error.code}`)}{" "}
                <span className="code">{error.code}</span>
              </p>
              <p>{t(`errors.action.${error.code}`)}</p>
            </>
          )}
        </Banner>
      </div>
    );
  return (
    <div className="upload">
      <p className="upload-head">
        <Spinner />
        <span role="status">{t(`models.push.${stage}`, { name })}</span>
        <span className="number transfer-bytes">
          {t("models.push.done", { done: formatBytes(done), all: formatBytes(file.size) })}
          {stage === "send" && resumedAt > 0 && (
            <> · {t("models.push.resumedAt", { bytes: formatBytes(resumedAt) })}</>
          )}
        </span>
        <Button size="small" onClick={cancelUpload}>
          {t("models.push.cancel")}
        </Button>
      </p>
      <progress aria-label={name} value={done} max={Math.max(1, file.size)} />
    </div>
  );
}
