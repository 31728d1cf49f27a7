/**
 * Buttons. One without visible words carries its label for everyone: as a name and as a tooltip.
 *
 * @module
 */
import type { ComponentProps } from "react";
import { Icon, type IconName } from "./icon.tsx";
import { Tooltip } from "./tooltip.tsx";

interface Look {
  readonly kind?: "primary" | "danger" | "quiet" | undefined;
  readonly size?: "small" | undefined;
}

export function Button({ kind, size, ...rest }: ComponentProps<"button"> & Look) {
  return <button type="button" {...rest} className="button" data-kind={kind} data-size={size} />;
}

interface IconButtonProps extends Omit<ComponentProps<"button">, "children">, Look {
  readonly icon: IconName;
  readonly label: string;
}

export function IconButton({ icon, label, kind = "quiet", size, ...rest }: IconButtonProps) {
  return (
    <Tooltip text={label}>
      <button
        type="button"
        {...rest}
        className="button"
        data-kind={kind}
        data-size={size === "small" ? "small-icon" : "icon"}
        aria-label={label}
      >
        <Icon name={icon} size={size === "small" ? 14 : 16} />
      </button>
    </Tooltip>
  );
}
