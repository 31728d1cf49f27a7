/**
 * Copies a text, and says for a moment that it did.
 *
 * @module
 */
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { IconButton } from "./button.tsx";

export function CopyButton({ text, label }: { text: string; label: string }) {
  const { t } = useTranslation();
  const [wasCopied, setWasCopied] = useState(false);
  useEffect(() => {
    if (!wasCopied) return undefined;
    const timer = setTimeout(() => setWasCopied(false), COPIED_MS);
    return () => clearTimeout(timer);
  }, [wasCopied]);
  const copy = () => {
    void navigator.clipboard.writeText(text).then(() => setWasCopied(true));
  };
  return (
    <IconButton
      size="small"
      icon={wasCopied ? "check" : "copy"}
      label={wasCopied ? t("design.copied") : label}
      onClick={copy}
    />
  );
}

/** Long enough to be seen, short enough to copy again. */
const COPIED_MS = 1_500;
