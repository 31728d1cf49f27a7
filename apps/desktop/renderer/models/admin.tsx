/**
 * What only an admin's device may do, and why this one may not.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import type { NodeView } from "../../ipc/contract.ts";
import { Banner } from "../design/parts.tsx";

const NOTE_ID = "admin-only";

/** For a control that needs an admin: disabled on a device that is none, and described by the reason. */
export function adminOnly({ role }: NodeView, isOtherwiseDisabled = false) {
  if (role !== "chat") return { disabled: isOtherwiseDisabled };
  return { disabled: true, "aria-describedby": NOTE_ID };
}

export function AdminNote({ node }: { node: NodeView }) {
  const { t } = useTranslation();
  if (node.role !== "chat") return undefined;
  return (
    <Banner shape="box">
      <p id={NOTE_ID}>{t("models.adminOnly")}</p>
    </Banner>
  );
}
