/**
 * Links and images of an answer. Neither becomes an element that can load: a link is a button that
 * shows the whole address and asks, an image is its description.
 *
 * @module
 */
import { use, type ReactNode } from "react";
import { createContext } from "react";
import { useTranslation } from "react-i18next";
import { openableAddress } from "./allowed.ts";

/** Set by the page: asks the person about an address. */
export const AskToOpen = createContext<(address: URL) => void>(() => undefined);

export function LinkThatAsks({
  address,
  children,
}: {
  address?: string | undefined;
  children: ReactNode;
}) {
  const ask = use(AskToOpen);
  const url = openableAddress(address);
  if (!url) return <span className="markdown-reference">{children}</span>;
  return (
    <button type="button" className="markdown-link" title={url.href} onClick={() => ask(url)}>
      {children}
    </button>
  );
}

export function ImageAsText({ address, name }: { address: string; name?: string | undefined }) {
  const { t } = useTranslation();
  return (
    <span className="markdown-image" title={address.slice(0, 200)}>
      {t("markdown.imageNotLoaded", { name: name || t("markdown.imageWithoutName") })}
    </span>
  );
}
