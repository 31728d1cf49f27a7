/**
 * Exactly what a window would open, to be read before it is signed.
 *
 * @module
 */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { NodeView, Proposal } from "../../ipc/contract.ts";
import { ErrorView } from "../app/error-view.tsx";
import { keys, useRequest } from "../app/queries.ts";
import { formatBytes } from "../chat/format.ts";
import { useNow } from "../chat/use-now.ts";
import { Button } from "../design/button.tsx";
import { Choice } from "../design/choice.tsx";
import { Facts } from "../design/facts.tsx";
import { Banner } from "../design/parts.tsx";
import { fileName } from "../window/use-window.ts";
import { adminOnly } from "./admin.tsx";
import { Endpoints } from "./endpoints.tsx";

/** How long a window may stay open, in minutes; a node opens none for longer than the last. */
const minutesOffered = ["5", "15", "30"] as const;

interface Props {
  readonly node: NodeView;
  readonly proposal: Proposal;
  readonly isOpen: boolean;
  readonly onDone: () => void;
  readonly onAgain: () => void;
}

export function ProposalView({ node, proposal, isOpen, onDone, onAgain }: Props) {
  const { t, i18n } = useTranslation();
  const client = useQueryClient();
  const [minutes, setMinutes] = useState<(typeof minutesOffered)[number]>("15");
  const open = useRequest("window.open");
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const closesAt = new Date(useNow() + Number(minutes) * 60_000);
  const time = closesAt.toLocaleTimeString(i18n.language, { timeStyle: "short" });

  const sign = () =>
    open.mutate(
      { node: node.id, proposal: proposal.id, minutes: Number(minutes) },
      {
        onSuccess: (window) => {
          client.setQueryData(keys.window(node.id), window);
          onDone();
        },
      },
    );
  return (
    <section aria-labelledby="proposal-title">
      <h2 id="proposal-title" ref={heading} tabIndex={-1}>
        {t("models.proposal.title")}
      </h2>
      <p className="lead">{t("models.proposal.text")}</p>
      {proposal.files.map(({ name, digest, bytes }) => (
        <Facts
          key={digest}
          facts={[
            [t("models.proposal.file"), <strong key="file">{fileName(name)}</strong>],
            [
              t("models.proposal.from"),
              <span key="from" className="code">
                {proposal.endpoints[0]?.name}
                {name}
              </span>,
            ],
            [
              t("models.proposal.size"),
              `${formatBytes(bytes)} (${bytes.toLocaleString(i18n.language)} B)`,
            ],
            [
              t("models.proposal.digest"),
              <span key="digest">
                <span className="code">{digest}</span>
                <span className="field-hint">
                  {" "}
                  {t(`models.proposal.digestFrom.${proposal.digestFrom}`)}
                </span>
              </span>,
            ],
          ]}
        />
      ))}
      <h3>{t("models.proposal.hosts")}</h3>
      <Endpoints endpoints={proposal.endpoints} />
      {proposal.privateAddresses.length > 0 && (
        <Banner tone="caution" shape="box">
          <p>
            {t("models.proposal.private", {
              count: proposal.privateAddresses.length,
              addresses: proposal.privateAddresses.join(", "),
            })}
          </p>
        </Banner>
      )}
      <div className="proposal-time">
        <h3>{t("models.proposal.closes")}</h3>
        <Choice
          label={t("models.proposal.closes")}
          value={minutes}
          options={minutesOffered.map((value) => ({
            value,
            label: t("models.proposal.minutes", { count: Number(value) }),
          }))}
          onChange={setMinutes}
        />
        <p className="field-hint">{t("models.proposal.closesAt", { time })}</p>
      </div>
      {isOpen && <p className="field-wrong">{t("models.proposal.isOpen")}</p>}
      {open.error && <ErrorView thrown={open.error} />}
      <div className="form-actions">
        <Button kind="primary" {...adminOnly(node, open.isPending || isOpen)} onClick={sign}>
          {t(open.isPending ? "models.proposal.signing" : "models.proposal.sign")}
        </Button>
        <Button onClick={onAgain}>{t("models.add.again")}</Button>
      </div>
    </section>
  );
}
