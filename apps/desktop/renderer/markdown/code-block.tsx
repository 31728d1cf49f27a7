/**
 * A block of code: its language, a copy button, colours once it is complete.
 *
 * @module
 */
import { toJsxRuntime } from "hast-util-to-jsx-runtime";
import { memo, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Fragment, jsx, jsxs } from "react/jsx-runtime";
import { CopyButton } from "../design/copy-button.tsx";
import { highlight } from "./highlight.ts";

interface Props {
  readonly code: string;
  readonly language: string;
  /** More lines will come: it is shown plain until they have. */
  readonly isGrowing: boolean;
}

export const CodeBlock = memo(({ code, language, isGrowing }: Props) => {
  const { t } = useTranslation();
  const coloured = useMemo(() => {
    const tree = isGrowing ? undefined : highlight(code, language.toLowerCase());
    return tree ? toJsxRuntime(tree, { Fragment, jsx, jsxs }) : code;
  }, [code, language, isGrowing]);
  return (
    <figure className="code-block">
      <figcaption>
        <span>{language || t("markdown.code")}</span>
        <CopyButton text={code} label={t("markdown.copyCode")} />
      </figcaption>
      {/* Wide code scrolls by itself, and the keyboard must reach what scrolls. */}
      <pre tabIndex={0}>
        <code>{coloured}</code>
      </pre>
    </figure>
  );
});
CodeBlock.displayName = "CodeBlock";
