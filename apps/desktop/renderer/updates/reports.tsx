/**
 * What was sent, byte for byte; the switch to send nothing; licences.
 *
 * @module
 */
import { useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import type { NodeView, Reporting, Sent } from "../../ipc/contract.ts";
import { ErrorView } from "../app/error-view.tsx";
import { keys, useRequest } from "../app/queries.ts";
import { formatTime } from "../chat/format.ts";
import { Button } from "../design/button.tsx";
import { Facts } from "../design/facts.tsx";
import { adminOnly } from "../models/admin.tsx";

interface Props {
  readonly node: NodeView;
  readonly reporting: Reporting;
}

export function Reports({ node, reporting }: Props) {
  const { t, i18n } = useTranslation();
  const client = useQueryClient();
  const stop = useRequest("reporting.stop");
  const { order, sent } = reporting;
  const stopNow = () =>
    stop.mutate(
      { node: node.id },
      { onSuccess: () => void client.invalidateQueries({ queryKey: keys.reporting(node.id) }) },
    );
  return (
    <>
      <section>
        <h2>{t("updates.reportsTitle")}</h2>
        <p className="lead">{t("updates.reportsText")}</p>
        {!order && <p>{t(stop.isSuccess ? "updates.stopped" : "updates.silent")}</p>}
        {order && (
          <>
            <p>{t("updates.reporting", { time: formatTime(order.notAfter, i18n.language) })}</p>
            <ul>
              {order.places.map((place) => (
                <li key={`${place.name} ${place.address} ${place.port}`}>
                  {t("updates.place", place)}
                </li>
              ))}
            </ul>
            <p>
              <Button kind="danger" {...adminOnly(node, stop.isPending)} onClick={stopNow}>
                {t("updates.stop")}
              </Button>
            </p>
          </>
        )}
        {stop.error && <ErrorView thrown={stop.error} />}
      </section>
      <section>
        <h2>{t("updates.sentTitle")}</h2>
        {sent.length === 0 && <p className="lead">{t("updates.sentNone")}</p>}
        <ol className="sent">
          {sent.map((one) => (
            <SentView key={one.sequence} sent={one} />
          ))}
        </ol>
      </section>
      <Licences node={node} reporting={reporting} />
    </>
  );
}

function SentView({ sent }: { sent: Sent }) {
  const { t, i18n } = useTranslation();
  const { at, outcome, hex, sequence, rootVersion: root, targetsVersion: targets, health } = sent;
  const isWord = outcome === "waiting" || outcome === "answered";
  return (
    <li>
      <Facts
        facts={[
          [t("updates.sentAt"), formatTime(at, i18n.language)],
          [t("updates.sentOutcome"), isWord ? t(`updates.outcome.${outcome}`) : outcome],
          [t("updates.sentSays"), t("updates.says", { sequence, root, targets, health })],
          [t("updates.sentBytes"), <code className="sent-bytes">{hex}</code>],
        ]}
      />
    </li>
  );
}

function Licences({ node, reporting: { licences } }: Props) {
  const { t, i18n } = useTranslation();
  const client = useQueryClient();
  const file = useRef<HTMLInputElement>(null);
  const take = useRequest("licences.take");
  const takeFile = async (chosen: File | undefined) => {
    if (!chosen) return;
    const bytes = new Uint8Array(await chosen.arrayBuffer());
    const document = btoa(String.fromCharCode(...bytes.subarray(0, MAX_FILE_BYTES)));
    take.mutate(
      { node: node.id, document },
      { onSuccess: () => void client.invalidateQueries({ queryKey: keys.reporting(node.id) }) },
    );
  };
  return (
    <section>
      <h2>{t("updates.licencesTitle")}</h2>
      {licences.length === 0 && <p className="lead">{t("updates.licencesNone")}</p>}
      <ul>
        {licences.map(({ edition, holder, notAfter, standing }) => (
          <li key={`${holder} ${notAfter}`}>
            {t(`updates.standing.${standing}`)}
            {": "}
            {t("updates.licence", { edition, holder, time: formatTime(notAfter, i18n.language) })}
          </li>
        ))}
      </ul>
      <input
        ref={file}
        type="file"
        hidden
        onChange={(event) => void takeFile(event.currentTarget.files?.[0])}
      />
      <p>
        <Button {...adminOnly(node, take.isPending)} onClick={() => file.current?.click()}>
          {t("updates.licenceFile")}
        </Button>
      </p>
      {take.error && <ErrorView thrown={take.error} />}
      {take.isSuccess && <p role="status">{t("updates.licenceTaken")}</p>}
    </section>
  );
}

/** 8 KiB: a licence has 281 bytes, in JSON a few more. */
const MAX_FILE_BYTES = 8_192;
