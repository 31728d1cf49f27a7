/**
 * Which release a node runs: by the beginning of its digest, or none where it runs from its sources.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import { shortHex } from "../chat/format.ts";

/** What a node says that was started from its sources. */
const NO_RELEASE = /^0+$/;

export function ReleaseName({ digest }: { digest: string }) {
  const { t } = useTranslation();
  if (NO_RELEASE.test(digest)) return t("receipts.noRelease");
  return <span className="code">{shortHex(digest)}</span>;
}
