/**
 * The conversations, and the way to every other page.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import type { ConversationSummary, NodeView } from "../../ipc/contract.ts";
import { Dot, Skeleton, type Tone } from "../design/parts.tsx";
import { Icon, type IconName } from "../design/icon.tsx";
import { OpenSaved } from "../saved/open-saved.tsx";
import { BrandMark } from "./brand-mark.tsx";
import { usableNode, useConversations, useLoadedState, useSaved } from "./queries.ts";
import { addressOf, useRoute, type Route } from "./routes.ts";

export function Sidebar() {
  const { t } = useTranslation();
  const node = usableNode(useLoadedState());
  return (
    <nav className="sidebar" aria-label={t("app.navigation")}>
      <div className="brand">
        <BrandMark />
        {t("app.name")}
      </div>
      <a className="button new-chat" href={addressOf({ page: "new" })}>
        <Icon name="plus" />
        {t("app.newConversation")}
      </a>
      <Conversations />
      <SavedOnes />
      <ul className="places">
        <Place page="saved" icon="saved" label={t("saved.title")} />
        <Place page="node" icon="node" label={t("node.title")} />
        <Place page="models" icon="model" label={t("models.title")} />
        <Place page="egress" icon="egress" label={t("egress.title")} />
        <Place page="health" icon="health" label={t("health.title")} />
        <Place page="devices" icon="devices" label={t("devices.title")} />
        <Place page="updates" icon="update" label={t("updates.title")} />
        <Place page="receipts" icon="receipt" label={t("receipts.title")} />
        <Place page="settings" icon="settings" label={t("settings.title")} />
      </ul>
      {node && (
        <p className="sidebar-node">
          <Dot tone={nodeTones[node.state]} />
          <span className="ellipsis">{node.name}</span>
          <span className="sidebar-node-state">{t(`node.state.${node.state}`)}</span>
        </p>
      )}
    </nav>
  );
}

export const nodeTones = {
  unknown: "plain",
  connecting: "caution",
  online: "good",
  offline: "danger",
} as const satisfies Record<NodeView["state"], Tone>;

function Conversations() {
  const { t } = useTranslation();
  const { data } = useConversations();
  if (!data) return <Skeleton lines={3} label={t("chat.loading")} />;
  return (
    <ul className="conversations" aria-label={t("app.conversations")}>
      {data.map((one) => (
        <ConversationLink key={one.id} conversation={one} />
      ))}
    </ul>
  );
}

function ConversationLink({ conversation }: { conversation: ConversationSummary }) {
  const { t } = useTranslation();
  const route = useRoute();
  const isHere = route.page === "chat" && route.conversation === conversation.id;
  const { state } = conversation.worker;
  return (
    <li>
      <a
        className="place"
        href={addressOf({ page: "chat", conversation: conversation.id })}
        aria-current={isHere ? "page" : undefined}
      >
        <span className="ellipsis">{conversation.title || t("chat.untitled")}</span>
        {state === "live" && (
          <>
            <Dot tone="good" />
            <span className="visually-hidden">{t("chat.worker.live")}</span>
          </>
        )}
      </a>
    </li>
  );
}

/** The newest of them; the page has all. Nothing where nothing was saved. */
function SavedOnes() {
  const { t } = useTranslation();
  const { data } = useSaved("");
  if (!data || data.saved.length === 0) return undefined;
  return (
    <section className="saved-ones" aria-label={t("saved.newest")}>
      <h2>{t("saved.newest")}</h2>
      <ul>
        {data.saved.slice(0, SHOWN_SAVED).map(({ id, title }) => (
          <li key={id}>
            <OpenSaved saved={id}>{title || t("chat.untitled")}</OpenSaved>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** As many as leave room for the conversations above. */
const SHOWN_SAVED = 5;

interface PlaceProps {
  readonly page: Exclude<Route["page"], "chat">;
  readonly icon: IconName;
  readonly label: string;
}

function Place({ page, icon, label }: PlaceProps) {
  const isHere = useRoute().page === page;
  return (
    <li>
      <a className="place" href={addressOf({ page })} aria-current={isHere ? "page" : undefined}>
        <Icon name={icon} />
        {label}
      </a>
    </li>
  );
}
