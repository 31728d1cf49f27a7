/**
 * The last proof: this console reaches the node, and nothing of the node reaches out. Then the first chat.
 *
 * @module
 */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { NodeView, Setup } from "../../ipc/contract.ts";
import { ErrorView } from "../app/error-view.tsx";
import { emptyConversation } from "../app/home-page.tsx";
import { queryClient, keys, useGrade, useLoadedState } from "../app/queries.ts";
import { goTo } from "../app/routes.ts";
import { Button } from "../design/button.tsx";
import { Facts } from "../design/facts.tsx";
import { Dot, Spinner } from "../design/parts.tsx";
import { MakeKit } from "../devices/recovery-section.tsx";
import type { StageProps } from "./use-setup.ts";

export function ProofStage({ setup, act }: StageProps) {
  const { t } = useTranslation();
  const { nodes } = useLoadedState();
  const node = nodes.find(({ id }) => id === setup.node);
  const isDone = setup.stage === "done" && node !== undefined;
  return (
    <section>
      {isDone ? (
        <>
          <h2 tabIndex={-1}>{t("setup.proof.doneTitle", { name: node.name })}</h2>
          <p className="lead">{t("setup.proof.doneText")}</p>
          <Grade node={node} />
          <RecoveryOffer node={node} />
          <FirstChat node={node.id} onLeave={() => act("setup.leave", {})} />
        </>
      ) : (
        <>
          <h2 tabIndex={-1}>{t("setup.proof.title")}</h2>
          <p className="lead">{t("setup.proof.text")}</p>
          {setup.isBusy ? (
            <p className="setup-finding" role="status">
              <Spinner /> {t("setup.proof.reaching")}
            </p>
          ) : (
            <Button kind="primary" onClick={() => act("setup.goOn", {})}>
              {t("setup.tryAgain")}
            </Button>
          )}
        </>
      )}
      <Drill drill={setup.drill} />
    </section>
  );
}

function Grade({ node }: { node: NodeView }) {
  const { t } = useTranslation();
  const grade = useGrade(node);
  return (
    <Facts
      facts={[
        [
          t("node.address"),
          <span key="url" className="code">
            {node.url}
          </span>,
        ],
        [t("setup.proof.grade"), grade ? t(`health.grade.${grade}`) : t("setup.proof.gradeNone")],
      ]}
    />
  );
}

/** Before anything is lost: this device is the only admin so far. */
function RecoveryOffer({ node }: { node: NodeView }) {
  const { t } = useTranslation();
  const refresh = () => void queryClient.invalidateQueries({ queryKey: keys.devices(node.id) });
  return (
    <>
      <h3>{t("setup.proof.kit")}</h3>
      <p className="lead">{t("setup.proof.kitText")}</p>
      <MakeKit node={node} onMade={refresh} />
    </>
  );
}

function Drill({ drill }: Pick<Setup, "drill">) {
  const { t } = useTranslation();
  if (drill.length === 0) return undefined;
  return (
    <>
      <h3>{t("setup.proof.drill")}</h3>
      <p className="lead">{t("setup.proof.drillText")}</p>
      <ul className="setup-findings">
        {drill.map(({ unit, isBlocked, isCounted }) => {
          const isGood = isBlocked && isCounted;
          return (
            <li key={unit}>
              <p className="setup-finding">
                <Dot tone={isGood ? "good" : "danger"} />
                <strong className="code">{unit}</strong>
                <span>{t(isGood ? "setup.proof.blocked" : "setup.proof.notBlocked")}</span>
              </p>
            </li>
          );
        })}
      </ul>
    </>
  );
}

function FirstChat({ node, onLeave }: { node: string; onLeave: () => void }) {
  const { t } = useTranslation();
  const [isOpening, setIsOpening] = useState(false);
  const [thrown, setThrown] = useState<unknown>();
  const open = () => {
    setIsOpening(true);
    setThrown(undefined);
    emptyConversation(node).then(
      (conversation) => {
        void queryClient.invalidateQueries({ queryKey: keys.conversations });
        goTo({ page: "chat", conversation });
        onLeave();
      },
      (error: unknown) => {
        setThrown(error);
        setIsOpening(false);
      },
    );
  };
  return (
    <>
      {thrown !== undefined && <ErrorView thrown={thrown} />}
      <div className="form-actions">
        <Button kind="primary" disabled={isOpening} onClick={open}>
          {isOpening && <Spinner />}
          {t(isOpening ? "setup.proof.chatting" : "setup.proof.chat")}
        </Button>
        <Button onClick={onLeave}>{t("setup.proof.leave")}</Button>
      </div>
    </>
  );
}
