/**
 * Takes a saved conversation up again, and goes there.
 *
 * @module
 */
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { consoleErrorOf } from "../app/bridge.ts";
import { usableNode, useLoadedState, useRequest } from "../app/queries.ts";
import { goTo } from "../app/routes.ts";
import { useToast } from "../design/toasts.tsx";

export function OpenSaved({ saved, children }: { saved: string; children: ReactNode }) {
  const { t } = useTranslation();
  const tell = useToast();
  const node = usableNode(useLoadedState());
  const open = useRequest("saved.open");
  if (!node) return undefined;
  const run = () =>
    open.mutate(
      { saved, node: node.id },
      {
        onSuccess: ({ id }) => goTo({ page: "chat", conversation: id }),
        onError: (error) => tell(t("errors.shown", { ...consoleErrorOf(error) })),
      },
    );
  return (
    <button type="button" className="place" disabled={open.isPending} onClick={run}>
      <span className="ellipsis">{children}</span>
    </button>
  );
}
