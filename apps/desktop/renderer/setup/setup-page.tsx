/**
 * Makes a server a node: one state after the other, each with its own component.
 *
 * @module
 */
import { useEffect, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Setup, SetupStage } from "../../ipc/contract.ts";
import { RequestRefused } from "../app/bridge.ts";
import { ErrorView } from "../app/error-view.tsx";
import { PageBody, PageFrame } from "../app/page-frame.tsx";
import { usableNode, useLoadedState } from "../app/queries.ts";
import { addressOf } from "../app/routes.ts";
import { Button } from "../design/button.tsx";
import { Skeleton } from "../design/parts.tsx";
import { CancelDialog } from "./cancel-dialog.tsx";
import { CopyDiagnostics } from "./copy-diagnostics.tsx";
import { HostStage } from "./host-stage.tsx";
import { InstallStage } from "./install-stage.tsx";
import { KeyStage } from "./key-stage.tsx";
import { PlanStage } from "./plan-stage.tsx";
import { PreflightStage } from "./preflight-stage.tsx";
import { ProofStage } from "./proof-stage.tsx";
import { SignInStage } from "./sign-in-stage.tsx";
import { RemovalStage, StoppedStage } from "./stopped-stage.tsx";
import { serverText, useSetup, useSetupAct, type SetupAct, type StageProps } from "./use-setup.ts";
import "./setup.css";

const stages = {
  host: HostStage,
  key: KeyStage,
  "sign-in": SignInStage,
  preflight: PreflightStage,
  plan: PlanStage,
  install: InstallStage,
  proof: ProofStage,
  done: ProofStage,
  stopped: StoppedStage,
  removal: RemovalStage,
  removed: RemovalStage,
} as const satisfies Record<SetupStage, (props: StageProps) => ReactNode>;

/** What a person goes through; the others are ways out. */
const path: readonly SetupStage[] = [
  "host",
  "key",
  "sign-in",
  "preflight",
  "plan",
  "install",
  "proof",
  "done",
];

export function SetupPage() {
  const { t } = useTranslation();
  const { data: setup, error, refetch } = useSetup();
  const { act, thrown } = useSetupAct();
  if (!setup)
    return (
      <PageFrame title={t("setup.title")}>
        <PageBody>
          {error ? (
            <ErrorView thrown={error} onRetry={() => void refetch()} />
          ) : (
            <Skeleton lines={4} label={t("setup.loading")} />
          )}
        </PageBody>
      </PageFrame>
    );
  const Stage = stages[setup.stage];
  const shown = thrown ?? (setup.error && new RequestRefused(setup.error));
  return (
    <PageFrame
      title={t("setup.title")}
      about={setup.server && <span className="ellipsis">{serverText(setup.server)}</span>}
      actions={<Cancel setup={setup} act={act} />}
    >
      <PageBody>
        <Stages at={setup.stage} />
        {shown !== undefined && shown !== null && (
          <section className="setup-fault">
            <ErrorView thrown={shown} />
            <CopyDiagnostics />
          </section>
        )}
        <StageHeadingFocus stage={setup.stage}>
          <Stage setup={setup} act={act} />
        </StageHeadingFocus>
      </PageBody>
    </PageFrame>
  );
}

/** What is behind, what is now, what is to come. */
function Stages({ at }: { at: SetupStage }) {
  const { t } = useTranslation();
  const place = path.indexOf(at);
  if (place < 0) return undefined;
  return (
    <ol className="setup-stages" aria-label={t("setup.stages")}>
      {path.map((stage, index) => (
        <li
          key={stage}
          data-place={index < place ? "behind" : index === place ? "now" : "ahead"}
          aria-current={index === place ? "step" : undefined}
        >
          {t(`setup.stage.${stage}`)}
        </li>
      ))}
    </ol>
  );
}

/** The page changes under a person's hands: the new heading says so, unless its field took the focus. */
function StageHeadingFocus({ stage, children }: { stage: SetupStage; children: ReactNode }) {
  const ref = useRef<HTMLDivElement>(null);
  const last = useRef(stage);
  useEffect(() => {
    if (last.current === stage) return;
    last.current = stage;
    ref.current?.querySelector<HTMLElement>("h2")?.focus();
  }, [stage]);
  return (
    <div ref={ref} className="setup-stage">
      {children}
    </div>
  );
}

/** There at every point at which something can be given up. */
function Cancel({ setup, act }: { setup: Setup; act: SetupAct }) {
  const { t } = useTranslation();
  const [isAsking, setIsAsking] = useState(false);
  const hasNode = usableNode(useLoadedState()) !== undefined;
  const { stage, isBusy } = setup;
  const isAtEnd = ["done", "removed", "stopped", "removal"].includes(stage);
  if (stage === "host" && !isBusy && !hasNode)
    // There is no sidebar to leave by.
    return (
      <a className="button" href={addressOf({ page: "home" })}>
        {t("setup.cancel")}
      </a>
    );
  if (isAtEnd || (stage === "host" && !isBusy)) return undefined;
  const isInstalling = stage === "install" && isBusy;
  return (
    <>
      <Button onClick={() => (isInstalling ? setIsAsking(true) : act("setup.cancel", {}))}>
        {t("setup.cancel")}
      </Button>
      {isAsking && isInstalling && (
        <CancelDialog onClose={() => setIsAsking(false)} onCancel={() => act("setup.cancel", {})} />
      )}
    </>
  );
}
