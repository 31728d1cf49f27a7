/**
 * The bar above every page: its title, what it is about, what can be done; and the demo mark.
 *
 * @module
 */
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { NodeView } from "../../ipc/contract.ts";
import { Tag } from "../design/parts.tsx";
import { Tooltip } from "../design/tooltip.tsx";
import { usableNode, useLoadedState } from "./queries.ts";
import { useRoute } from "./routes.ts";

interface Props {
  readonly title: string;
  readonly about?: ReactNode;
  readonly actions?: ReactNode;
  readonly children?: ReactNode;
}

export function PageFrame({ title, about, actions, children }: Props) {
  return (
    <>
      <header className="page-head">
        <h1 className="ellipsis">{title}</h1>
        <div className="page-about">
          {about}
          <DemoMark />
        </div>
        <div className="page-actions">{actions}</div>
      </header>
      {children}
    </>
  );
}

/** There whenever the node is a demo; nothing closes it. A server that is being set up is another one. */
function DemoMark() {
  const { t } = useTranslation();
  const node = usableNode(useLoadedState());
  const isOfAnother = useRoute().page === "setup";
  if (isOfAnother || node?.starter !== "gateway") return undefined;
  return (
    <Tooltip text={`${t("demo.meaning")} ${t(demoPolicyText(node))}`}>
      <button type="button" className="demo-mark">
        <Tag tone="caution">{t("demo.mark")}</Tag>
      </button>
    </Tooltip>
  );
}

/** What a demo node's kernel does for it. */
export function demoPolicyText({ policy }: NodeView) {
  const isInForce = policy === "demo" || policy === "enforced";
  return isInForce ? "demo.policyInForce" : "demo.policyNotInForce";
}

/** What scrolls below the bar; the keyboard must reach what scrolls. */
export function PageBody({ children }: { children: ReactNode }) {
  return (
    <div className="page" tabIndex={0}>
      {children}
    </div>
  );
}
