/**
 * The first thing anyone sees: start a node, compare its fingerprint, go on to the first question.
 *
 * @module
 */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useLoadedState } from "../app/queries.ts";
import { BrandMark } from "../app/brand-mark.tsx";
import { Button } from "../design/button.tsx";
import { addressOf } from "../app/routes.ts";
import { Banner } from "../design/parts.tsx";
import { useSetup } from "../setup/use-setup.ts";
import { ConfirmNode } from "./confirm-node.tsx";
import { DemoStart } from "./demo-start.tsx";
import { JoinNode } from "./join-node.tsx";
import { RestoreKit } from "./restore-kit.tsx";
import "./pairing.css";

export function WelcomePage() {
  const { t } = useTranslation();
  const { nodes, keyStore } = useLoadedState();
  const unconfirmed = nodes.find((node) => !node.isConfirmed);
  const [way, setWay] = useState<"join" | "restore">();
  const back = () => setWay(undefined);
  const { data: setup } = useSetup();
  const isUnderWay = setup?.stage !== undefined && setup.stage !== "host";
  return (
    <div className="welcome">
      <div className="welcome-card">
        <p className="welcome-brand">
          <BrandMark />
          {t("app.name")}
        </p>
        {unconfirmed ? (
          <ConfirmNode node={unconfirmed} />
        ) : way === "join" ? (
          <JoinNode onClose={back} />
        ) : way === "restore" ? (
          <RestoreKit onClose={back} />
        ) : (
          <>
            <h1>{t("welcome.title")}</h1>
            <p className="lead">{t("welcome.text")}</p>
            <ul className="welcome-facts">
              <li>{t("welcome.factTunnel")}</li>
              <li>{t("welcome.factWorker")}</li>
              <li>{t("welcome.factReceipt")}</li>
            </ul>
            <DemoStart label={t("welcome.start")} />
            <p className="field-hint">{t("welcome.demoText")}</p>
            <div className="demo-start">
              <a className="button" href={addressOf({ page: "setup" })}>
                {t(isUnderWay ? "welcome.goOn" : "welcome.setUp")}
              </a>
            </div>
            <p className="field-hint">{t("welcome.setUpText")}</p>
            <div className="confirm-actions">
              <Button onClick={() => setWay("join")}>{t("welcome.join")}</Button>
              <Button onClick={() => setWay("restore")}>{t("welcome.restore")}</Button>
            </div>
          </>
        )}
        {keyStore.note && (
          <Banner tone={keyStore.isProtected ? "plain" : "caution"} shape="box">
            <p>{t(`keyStore.${keyStore.note}`)}</p>
          </Banner>
        )}
      </div>
    </div>
  );
}
