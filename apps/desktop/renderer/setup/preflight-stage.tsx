/**
 * What the server is, and what follows from it: what stops first, then what to know, then what is in order.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import type { SetupFinding } from "../../ipc/contract.ts";
import { Button } from "../design/button.tsx";
import { Banner, Dot, Spinner } from "../design/parts.tsx";
import type { StageProps } from "./use-setup.ts";

const tones = { good: "good", note: "caution", stop: "danger" } as const;

export function PreflightStage({ setup: { findings, privilege, isBusy }, act }: StageProps) {
  const { t } = useTranslation();
  const stops = findings.filter(({ verdict }) => verdict === "stop");
  const notes = findings.filter(({ verdict }) => verdict === "note");
  const good = findings.filter(({ verdict }) => verdict === "good");
  const isFit = stops.length === 0;
  return (
    <section>
      <h2 tabIndex={-1}>{t("setup.preflight.title")}</h2>
      <p className="lead">
        {t("setup.preflight.text")}{" "}
        {privilege !== null && t(`setup.preflight.privilege.${privilege}`)}
      </p>
      <Banner tone={isFit ? "plain" : "danger"} shape="box">
        <p>
          <strong>{t(isFit ? "setup.preflight.fit" : "setup.preflight.unfit")}</strong>
        </p>
      </Banner>
      {[...stops, ...notes].length > 0 && (
        <ul className="setup-findings">
          {[...stops, ...notes].map((finding) => (
            <FindingRow key={finding.check} finding={finding} />
          ))}
        </ul>
      )}
      <div className="form-actions">
        <Button kind="primary" disabled={isBusy || !isFit} onClick={() => act("setup.plan", {})}>
          {t("setup.preflight.goOn")}
        </Button>
        <Button disabled={isBusy} onClick={() => act("setup.lookAgain", {})}>
          {isBusy && <Spinner />}
          {t("setup.preflight.lookAgain")}
        </Button>
      </div>
      <h3>{t("setup.preflight.good")}</h3>
      <ul className="setup-findings">
        {good.map((finding) => (
          <FindingRow key={finding.check} finding={finding} />
        ))}
      </ul>
    </section>
  );
}

function FindingRow({ finding: { check, verdict, fact, consequence } }: { finding: SetupFinding }) {
  const { t } = useTranslation();
  return (
    <li>
      <p className="setup-finding">
        <Dot tone={tones[verdict]} />
        <strong>{t(`setup.check.${check}`)}</strong>
        <span>{fact}</span>
        {verdict !== "good" && (
          <span className="setup-verdict" data-verdict={verdict}>
            {t(`setup.preflight.verdict.${verdict}`)}
          </span>
        )}
      </p>
      {consequence !== "" && <p className="setup-consequence">{consequence}</p>}
    </li>
  );
}
