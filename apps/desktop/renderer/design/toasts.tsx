/**
 * What a person is told once and may miss: the result of something they just did.
 *
 * @module
 */
import { Toast } from "radix-ui";
import { createContext, use, useCallback, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { IconButton } from "./button.tsx";

const Tell = createContext<(text: string) => void>(() => undefined);

/** @returns the function that tells a sentence */
export const useToast = () => use(Tell);

export function ToastGround({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const [toasts, setToasts] = useState<readonly { id: number; text: string }[]>([]);
  const tell = useCallback((text: string) => {
    setToasts((before) => [
      ...before.slice(1 - MAX_TOASTS),
      { id: Date.now() + before.length, text },
    ]);
  }, []);
  return (
    <Toast.Provider label={t("design.notification")} duration={TOAST_MS}>
      <Tell value={tell}>{children}</Tell>
      {toasts.map(({ id, text }) => (
        <Toast.Root
          key={id}
          className="toast"
          onOpenChange={() => setToasts((before) => before.filter((toast) => toast.id !== id))}
        >
          <Toast.Description className="toast-text">{text}</Toast.Description>
          <Toast.Close asChild>
            <IconButton size="small" icon="close" label={t("design.close")} />
          </Toast.Close>
        </Toast.Root>
      ))}
      <Toast.Viewport
        className="toasts"
        label={t("design.notifications", { hotkey: "{hotkey}" })}
      />
    </Toast.Provider>
  );
}

const MAX_TOASTS = 3;
/** Time to read two lines without haste. */
const TOAST_MS = 6_000;
