/**
 * A question that must be answered or closed first.
 *
 * The shade is our own: Radix's overlay injects a style element, which the policy forbids.
 *
 * @module
 */
import { Dialog as Radix } from "radix-ui";
import type { ReactNode } from "react";

interface Props {
  readonly title: string;
  readonly description?: string | undefined;
  readonly children?: ReactNode;
  readonly actions: ReactNode;
  readonly onClose: () => void;
}

/** Present while mounted. */
export function Dialog({ title, description, children, actions, onClose }: Props) {
  return (
    <Radix.Root open onOpenChange={(isOpen) => isOpen || onClose()}>
      <Radix.Portal>
        <div className="dialog-shade" />
        <Radix.Content
          className="dialog"
          onOpenAutoFocus={focusFieldOrDialog}
          {...(description === undefined && { "aria-describedby": undefined })}
        >
          <Radix.Title className="dialog-title">{title}</Radix.Title>
          {description !== undefined && <Radix.Description>{description}</Radix.Description>}
          {children}
          <div className="dialog-actions">{actions}</div>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** A field is what a person came for; otherwise the dialog itself, so that no tooltip opens over it. */
function focusFieldOrDialog(event: Event): void {
  const dialog = event.currentTarget as HTMLElement;
  if (dialog.querySelector("input")) return;
  event.preventDefault();
  dialog.focus();
}
