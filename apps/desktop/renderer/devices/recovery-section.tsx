/**
 * Recovery kits: makes one, shows its words once, and checks whether one would still work.
 *
 * @module
 */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { NodeView } from "../../ipc/contract.ts";
import { ErrorView } from "../app/error-view.tsx";
import { useRequest } from "../app/queries.ts";
import { Button } from "../design/button.tsx";
import { Banner } from "../design/parts.tsx";
import { PassphraseField } from "../design/passphrase-field.tsx";
import { adminOnly } from "../models/admin.tsx";
import { KitField, readKit } from "./kit-field.tsx";
import { Words } from "./six-words.tsx";

export function RecoverySection({ node, onMade }: { node: NodeView; onMade: () => void }) {
  const { t } = useTranslation();
  return (
    <section>
      <h2>{t("devices.kit.title")}</h2>
      <p className="lead">{t("devices.kit.text")}</p>
      <MakeKit node={node} onMade={onMade} />
      <CheckKit node={node} />
    </section>
  );
}

export function MakeKit({ node, onMade }: { node: NodeView; onMade: () => void }) {
  const { t } = useTranslation();
  const make = useRequest("recovery.make");
  const [passphrase, setPassphrase] = useState("");
  const run = (chosen: string | null) =>
    make.mutate({ node: node.id, passphrase: chosen }, { onSuccess: onMade });
  const { data } = make;
  if (data)
    return (
      <Banner shape="box">
        <p>
          <strong>{t("devices.kit.made")}</strong>
        </p>
        <p className="code device-digits">{data.path}</p>
        {data.words && (
          <>
            <p>{t("devices.kit.words")}</p>
            <Words words={data.words} label={t("devices.kit.passphrase")} />
          </>
        )}
        <p>{t(data.opensSaved ? "devices.kit.opensSaved" : "devices.kit.opensNoSaved")}</p>
        <p>{t("devices.kit.keep")}</p>
      </Banner>
    );
  return (
    <div className="kit-form">
      <PassphraseField
        label={t("devices.kit.passphrase")}
        kind="new"
        value={passphrase}
        onChange={setPassphrase}
      />
      {make.error && <ErrorView thrown={make.error} />}
      <div className="form-actions">
        <Button
          {...adminOnly(node, passphrase === "" || make.isPending)}
          onClick={() => run(passphrase)}
        >
          {t("devices.kit.make")}
        </Button>
        <Button {...adminOnly(node, make.isPending)} onClick={() => run(null)}>
          {t("devices.kit.makeWords")}
        </Button>
      </div>
    </div>
  );
}

function CheckKit({ node }: { node: NodeView }) {
  const { t } = useTranslation();
  const check = useRequest("recovery.check");
  const [file, setFile] = useState<File>();
  const [passphrase, setPassphrase] = useState("");
  const run = async () => {
    if (file) check.mutate({ node: node.id, kit: await readKit(file), passphrase });
  };
  return (
    <details className="kit-check">
      <summary>{t("devices.kit.check")}</summary>
      <KitField {...{ setFile, passphrase, setPassphrase }} />
      {check.error && <ErrorView thrown={check.error} />}
      {check.data && (
        <div role="status">
          <p>
            <strong>{t(`devices.kit.standing.${check.data.standing}`)}</strong>
          </p>
          {check.data.standing === "good" && !check.data.opensSaved && (
            <p>{t("devices.kit.opensNoSaved")}</p>
          )}
        </div>
      )}
      <div className="form-actions">
        <Button disabled={!file || passphrase === "" || check.isPending} onClick={() => void run()}>
          {t("devices.kit.checkNow")}
        </Button>
      </div>
    </details>
  );
}
