/**
 * A menu behind a button. Not modal: the modal kind locks scrolling with an injected style element.
 *
 * @module
 */
import { DropdownMenu as Radix } from "radix-ui";
import { IconButton } from "./button.tsx";
import { Icon, type IconName } from "./icon.tsx";

interface Item {
  readonly label: string;
  readonly icon: IconName;
  readonly isDanger?: boolean;
  readonly onSelect: () => void;
}

export function Menu({ label, items }: { label: string; items: readonly Item[] }) {
  return (
    <Radix.Root modal={false}>
      <Radix.Trigger asChild>
        <IconButton icon="more" label={label} />
      </Radix.Trigger>
      <Radix.Portal>
        <Radix.Content className="menu" align="end" sideOffset={4} collisionPadding={8}>
          {items.map(({ label, icon, isDanger, onSelect }) => (
            <Radix.Item
              key={label}
              className="menu-item"
              data-tone={isDanger ? "danger" : undefined}
              onSelect={onSelect}
            >
              <Icon name={icon} />
              {label}
            </Radix.Item>
          ))}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
