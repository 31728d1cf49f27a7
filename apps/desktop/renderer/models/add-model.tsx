/**
 * From an address to an open window: look up, read what would be reachable, sign.
 *
 * @module
 */
import { useState, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";
import type { NodeView } from "../../ipc/contract.ts";
import { ErrorView } from "../app/error-view.tsx";
import { useRequest } from "../app/queries.ts";
import { Button } from "../design/button.tsx";
import { Spinner } from "../design/parts.tsx";
import { adminOnly } from "./admin.tsx";
import { ProposalView } from "./proposal-view.tsx";

export function AddModel({ node, isOpen }: { node: NodeView; isOpen: boolean }) {
  const { t } = useTranslation();
  const propose = useRequest("window.propose");
  const [address, setAddress] = useState("");
  const [digest, setDigest] = useState("");
  const isDigestRight = /^([0-9a-f]{64})?$/i.test(digest.trim());

  if (propose.data)
    return (
      <ProposalView
        node={node}
        proposal={propose.data}
        isOpen={isOpen}
        onDone={() => {
          propose.reset();
          setAddress("");
          setDigest("");
        }}
        onAgain={() => propose.reset()}
      />
    );

  const lookUp = (event: SubmitEvent) => {
    event.preventDefault();
    const known = digest.trim().toLowerCase();
    propose.mutate({
      node: node.id,
      address: address.trim(),
      ...(known === "" ? {} : { digest: known }),
    });
  };
  return (
    <section>
      <h2>{t("models.add.title")}</h2>
      <p className="lead">{t("models.add.text")}</p>
      <form className="add-model" onSubmit={lookUp}>
        <label className="field" htmlFor="model-address">
          {t("models.add.address")}
        </label>
        <input
          id="model-address"
          className="field-input"
          value={address}
          maxLength={MAX_ADDRESS_CHARS}
          spellCheck={false}
          autoComplete="off"
          aria-describedby="model-address-hint"
          onChange={(event) => setAddress(event.target.value)}
        />
        <p id="model-address-hint" className="field-hint">
          {t("models.add.addressHint")}
        </p>
        <label className="field" htmlFor="model-digest">
          {t("models.add.digest")}
        </label>
        <input
          id="model-digest"
          className="field-input code"
          value={digest}
          maxLength={MAX_DIGEST_CHARS}
          spellCheck={false}
          autoComplete="off"
          aria-invalid={!isDigestRight}
          aria-describedby={isDigestRight ? undefined : "model-digest-wrong"}
          onChange={(event) => setDigest(event.target.value)}
        />
        {!isDigestRight && (
          <p id="model-digest-wrong" className="field-wrong">
            {t("models.add.digestWrong")}
          </p>
        )}
        <div className="form-actions">
          <Button
            type="submit"
            kind="primary"
            {...adminOnly(node, propose.isPending || address.trim() === "" || !isDigestRight)}
          >
            {propose.isPending && <Spinner />}
            {t(propose.isPending ? "models.add.lookingUp" : "models.add.lookUp")}
          </Button>
        </div>
      </form>
      {propose.error && <ErrorView thrown={propose.error} />}
    </section>
  );
}

/** What the contract admits. */
const MAX_ADDRESS_CHARS = 2048;

/** 64 digits, and room for what is copied along with them. */
const MAX_DIGEST_CHARS = 80;
