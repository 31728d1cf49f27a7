/**
 * What was saved: searched, opened, deleted, synced, and as files in and out.
 *
 * @module
 */
import { useRef, useState, type ChangeEvent } from "react";
import { useTranslation } from "react-i18next";
import type { NodeView, SavedSummary } from "../../ipc/contract.ts";
import { consoleErrorOf } from "../app/bridge.ts";
import { ErrorView } from "../app/error-view.tsx";
import { PageBody, PageFrame } from "../app/page-frame.tsx";
import { useRequest, useSaved } from "../app/queries.ts";
import { formatTime } from "../chat/format.ts";
import { Button } from "../design/button.tsx";
import { Skeleton, Tag } from "../design/parts.tsx";
import { useToast } from "../design/toasts.tsx";
import { DeleteDialog } from "./delete-dialog.tsx";
import { OpenSaved } from "./open-saved.tsx";
import { OtherDevices } from "./other-devices.tsx";
import "./saved.css";

/** What the contract admits. */
const MAX_QUERY_CHARS = 200;

export function SavedPage({ node }: { node: NodeView }) {
  const { t } = useTranslation();
  const [query, setQuery] = useState("");
  const { data, error, refetch } = useSaved(query);
  const sync = useRequest("saved.sync");
  const result = sync.data;
  return (
    <PageFrame
      title={t("saved.title")}
      actions={
        <Button disabled={sync.isPending} onClick={() => sync.mutate({ node: node.id })}>
          {t("saved.sync")}
        </Button>
      }
    >
      <PageBody>
        <p className="lead">{t("saved.meaning")}</p>
        {sync.error && (
          <ErrorView thrown={sync.error} onRetry={() => sync.mutate({ node: node.id })} />
        )}
        {result && (
          <p role="status">
            {t("saved.synced", {
              taken: result.taken,
              given: result.given,
              percent: ((result.usedBytes / result.maxBytes) * 100).toFixed(1),
            })}
          </p>
        )}
        <input
          type="search"
          className="field-input"
          aria-label={t("saved.search")}
          placeholder={t("saved.search")}
          maxLength={MAX_QUERY_CHARS}
          value={query}
          onChange={(event) => setQuery(event.target.value)}
        />
        {error && <ErrorView thrown={error} onRetry={() => void refetch()} />}
        {!error && !data && <Skeleton lines={4} label={t("saved.loading")} />}
        {data && data.total === 0 && (
          <p className="nothing">{t(query.trim() === "" ? "saved.none" : "saved.nothingFound")}</p>
        )}
        {data && data.total > 0 && (
          <p className="saved-where">{t(data.node === null ? "saved.here" : "saved.atNode")}</p>
        )}
        <ul className="saved-list" aria-label={t("saved.title")}>
          {data?.saved.map((one) => (
            <SavedRow key={one.id} saved={one} isKept={data.node !== null} />
          ))}
        </ul>
        {data && data.total > data.saved.length && (
          <p>{t("saved.more", { count: data.total - data.saved.length })}</p>
        )}
        {data && <OtherDevices node={node.id} hasVault={data.node !== null} />}
        <Files />
      </PageBody>
    </PageFrame>
  );
}

function SavedRow({ saved, isKept }: { saved: SavedSummary; isKept: boolean }) {
  const { t, i18n } = useTranslation();
  const [isDeleting, setDeleting] = useState(false);
  const exporting = useRequest("saved.export");
  return (
    <li className="saved-row">
      <OpenSaved saved={saved.id}>{saved.title || t("chat.untitled")}</OpenSaved>
      <span className="number">{formatTime(saved.changedAt, i18n.language)}</span>
      <span>{t("saved.messages", { count: saved.messages })}</span>
      {isKept && !saved.isSynced && <Tag>{t("saved.notSynced")}</Tag>}
      <span className="saved-actions">
        <Button
          size="small"
          disabled={exporting.isPending}
          onClick={() => exporting.mutate({ saved: saved.id, format: "markdown" })}
        >
          {t("saved.exportOne")}
        </Button>
        <Button size="small" kind="danger" onClick={() => setDeleting(true)}>
          {t("saved.delete")}
        </Button>
      </span>
      {exporting.data && <WrittenTo path={exporting.data.path} />}
      {isDeleting && <DeleteDialog saved={saved} onClose={() => setDeleting(false)} />}
    </li>
  );
}

/** All of them as one file, and such a file back. */
function Files() {
  const { t } = useTranslation();
  const tell = useToast();
  const exporting = useRequest("saved.export");
  const importing = useRequest("saved.import");
  const field = useRef<HTMLInputElement>(null);
  const { data: all } = useSaved("");
  const onError = (error: unknown) => tell(t("errors.shown", { ...consoleErrorOf(error) }));
  const take = async ({ target }: ChangeEvent<HTMLInputElement>) => {
    const text = await target.files?.[0]?.text();
    target.value = "";
    if (text === undefined) return;
    const onSuccess = ({ imported }: { imported: number }) =>
      tell(t("saved.imported", { count: imported }));
    importing.mutate({ text }, { onSuccess, onError });
  };
  return (
    <div className="saved-files">
      <Button
        size="small"
        disabled={exporting.isPending || !all?.total}
        onClick={() => exporting.mutate({ saved: null, format: "json" }, { onError })}
      >
        {t("saved.exportAll")}
      </Button>
      <input
        ref={field}
        type="file"
        accept=".json,application/json"
        hidden
        aria-label={t("saved.import")}
        onChange={(event) => void take(event)}
      />
      <Button size="small" disabled={importing.isPending} onClick={() => field.current?.click()}>
        {t("saved.import")}
      </Button>
      {exporting.data && <WrittenTo path={exporting.data.path} />}
    </div>
  );
}

function WrittenTo({ path }: { path: string }) {
  const { t } = useTranslation();
  return (
    <p role="status">
      {t("saved.exported")} <span className="code">{path}</span>
    </p>
  );
}
