/**
 * This console as a new device: an invitation goes in, a code and six words come out.
 *
 * @module
 */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useQueryClient } from "@tanstack/react-query";
import { ErrorView } from "../app/error-view.tsx";
import { keys, useRequest } from "../app/queries.ts";
import { goTo } from "../app/routes.ts";
import { Button } from "../design/button.tsx";
import { Spinner } from "../design/parts.tsx";
import { NameField } from "../devices/name-field.tsx";
import { CodeView } from "../devices/qr-view.tsx";
import { Words } from "../devices/six-words.tsx";
import "../devices/devices.css";

export function JoinNode({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const join = useRequest("pairing.join");
  const accept = useRequest("pairing.accept");
  const leave = useRequest("pairing.leave");
  const [invitation, setInvitation] = useState("");
  const [name, setName] = useState("");
  const give = () => {
    leave.mutate({});
    onClose();
  };
  // Awaited here: the page is another one as soon as the node is there.
  const onSame = async () => {
    const node = await accept.mutateAsync({}).catch(() => undefined);
    if (!node) return;
    await client.invalidateQueries({ queryKey: keys.state });
    goTo({ page: "new" });
  };
  if (!join.data)
    return (
      <>
        <h1>{t("join.title")}</h1>
        <p className="lead">{t("join.text")}</p>
        <label className="field">
          {t("join.invitation")}
          <textarea
            className="field-input code"
            rows={4}
            value={invitation}
            spellCheck={false}
            autoComplete="off"
            onChange={(event) => setInvitation(event.target.value)}
          />
        </label>
        <NameField label={t("join.name")} name={name} setName={setName} />
        {join.error && <ErrorView thrown={join.error} />}
        <div className="confirm-actions">
          <Button
            kind="primary"
            disabled={invitation.trim() === "" || name.trim() === "" || join.isPending}
            onClick={() => join.mutate({ invitation: invitation.trim(), name: name.trim() })}
          >
            {t("join.next")}
          </Button>
          <Button onClick={onClose}>{t("design.cancel")}</Button>
        </div>
      </>
    );
  return (
    <>
      <h1>{t("join.compareTitle", { name: join.data.nodeName })}</h1>
      <p className="lead">{t("join.compareText")}</p>
      <CodeView code={join.data.code} label={t("join.code")} />
      <Words words={join.data.words} label={t("devices.sixWords")} />
      {accept.error && <ErrorView thrown={accept.error} />}
      <p className="demo-step" role="status">
        {accept.isPending && t("join.waiting")}
      </p>
      <div className="confirm-actions">
        <Button kind="primary" disabled={accept.isPending} onClick={() => void onSame()}>
          {accept.isPending && <Spinner />}
          {t("devices.add.same")}
        </Button>
        <Button kind="danger" onClick={give}>
          {t(accept.isPending ? "design.cancel" : "devices.add.differ")}
        </Button>
      </div>
    </>
  );
}
