/**
 * What is true of the whole console and a person must know: no console, no node.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import { Button } from "../design/button.tsx";
import { Banner } from "../design/parts.tsx";
import { bridge } from "./bridge.ts";
import { useIsConnected } from "./connection.ts";
import { usableNode, useLoadedState } from "./queries.ts";

export function StateBanners() {
  const { t } = useTranslation();
  const isConnected = useIsConnected();
  const node = usableNode(useLoadedState());
  if (!isConnected)
    return (
      <div role="alert">
        <Banner tone="danger">
          <p>
            <strong>{t("app.disconnected")}</strong> {t("app.disconnectedText")}
          </p>
        </Banner>
      </div>
    );
  if (node?.state !== "offline") return undefined;
  const code = node.error?.code;
  return (
    <div role="alert">
      <Banner
        tone="caution"
        action={
          <Button
            size="small"
            // The outcome arrives as a change of the node.
            onClick={() => void bridge.request("nodes.status", { node: node.id })}
          >
            {t("app.retry")}
          </Button>
        }
      >
        <p>
          <strong>{t("node.offline", { name: node.name })}</strong>{" "}
          {code && t(`errors.action.${code}`)} {code && <span className="code">{code}</span>}
        </p>
      </Banner>
    </div>
  );
}
