/**
 * What lies on the node; each can be read again and removed.
 *
 * @module
 */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { Model, NodeView } from "../../ipc/contract.ts";
import { ErrorView } from "../app/error-view.tsx";
import { keys, useRequest } from "../app/queries.ts";
import { formatBytes, shortHex } from "../chat/format.ts";
import { Button } from "../design/button.tsx";
import { CopyButton } from "../design/copy-button.tsx";
import { Dialog } from "../design/dialog.tsx";
import { Banner, Dot, Spinner, Tag } from "../design/parts.tsx";
import { useToast } from "../design/toasts.tsx";
import { adminOnly } from "./admin.tsx";
import { forgetStored } from "./upload.ts";

/** A model that answers usefully is larger, in bytes; the demo's is a fiftieth of this. */
const SMALL_MODEL_BYTES = 100_000_000;

const isDemo = ({ bytes }: Model) => bytes < SMALL_MODEL_BYTES;

export function ModelList({ node, models }: { node: NodeView; models: readonly Model[] }) {
  const { t } = useTranslation();
  const [removing, setRemoving] = useState<Model>();
  return (
    <section>
      <h2>{t("models.listTitle")}</h2>
      {models.length === 0 && <p className="nothing">{t("models.none")}</p>}
      <ul className="models">
        {models.map((model) => (
          <ModelRow
            key={model.digest}
            node={node}
            model={model}
            onRemove={() => setRemoving(model)}
          />
        ))}
      </ul>
      {models.length > 0 && models.every(isDemo) && (
        <Banner
          shape="box"
          action={
            <Button size="small" onClick={goToAdding}>
              {t("models.addReal")}
            </Button>
          }
        >
          <p>{t("models.demoText")}</p>
        </Banner>
      )}
      {removing && (
        <RemoveDialog node={node} model={removing} onClose={() => setRemoving(undefined)} />
      )}
    </section>
  );
}

/** The first field of the section below. */
function goToAdding(): void {
  document.querySelector<HTMLElement>("#model-address, #choose-model")?.focus();
}

interface RowProps {
  readonly node: NodeView;
  readonly model: Model;
  readonly onRemove: () => void;
}

function ModelRow({ node, model, onRemove }: RowProps) {
  const { t } = useTranslation();
  const verify = useRequest("models.verify");
  const { name, digest, bytes } = model;
  return (
    <li className="model">
      <div className="model-text">
        <p className="model-name">
          <strong>{name}</strong>
          {isDemo(model) && <Tag>{t("models.demo")}</Tag>}
        </p>
        <p className="model-about">
          {formatBytes(bytes)} · <span className="code">{shortHex(digest)}</span>
          <CopyButton text={digest} label={t("models.copyDigest", { name })} />
        </p>
        <p className="model-check" role="status">
          {verify.isPending && (
            <>
              <Spinner /> {t("models.verifying")}
            </>
          )}
          {verify.data && (
            <>
              <Dot tone={verify.data.isWhole ? "good" : "danger"} />
              {t(verify.data.isWhole ? "models.isWhole" : "models.isBroken")}
            </>
          )}
        </p>
        {verify.error && <ErrorView thrown={verify.error} />}
      </div>
      <Button
        size="small"
        aria-label={t("models.verifyOf", { name })}
        {...adminOnly(node, verify.isPending)}
        onClick={() => verify.mutate({ node: node.id, digest })}
      >
        {t("models.verify")}
      </Button>
      <Button
        size="small"
        kind="danger"
        aria-label={t("models.removeOf", { name })}
        {...adminOnly(node)}
        onClick={onRemove}
      >
        {t("models.remove")}
      </Button>
    </li>
  );
}

interface RemoveProps {
  readonly node: NodeView;
  readonly model: Model;
  readonly onClose: () => void;
}

function RemoveDialog({ node, model: { name, digest }, onClose }: RemoveProps) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const tell = useToast();
  const remove = useRequest("models.remove");
  const onRemove = () =>
    remove.mutate(
      { node: node.id, digest },
      {
        onSuccess: () => {
          tell(t("models.removed", { name }));
          forgetStored(digest);
          void client.invalidateQueries({ queryKey: keys.status(node.id) });
          onClose();
        },
      },
    );
  return (
    <Dialog
      title={t("models.removeTitle", { name })}
      description={t("models.removeText")}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{t("design.cancel")}</Button>
          <Button kind="danger" disabled={remove.isPending} onClick={onRemove}>
            {t("models.remove")}
          </Button>
        </>
      }
    >
      {remove.error && <ErrorView thrown={remove.error} />}
    </Dialog>
  );
}
