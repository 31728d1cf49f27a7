/**
 * What the server wants beyond the sign-in: sudo's password, a passphrase, a second factor.
 *
 * @module
 */
import { useEffect, useRef, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";
import type { SetupWish } from "../../ipc/contract.ts";
import { Button } from "../design/button.tsx";
import { Field, SecretField, typed } from "./field.tsx";
import type { StageProps } from "./use-setup.ts";

export function WishesForm({ setup: { wishes, server }, act }: StageProps) {
  const { t } = useTranslation();
  const user = server?.user ?? "";
  const headingRef = useRef<HTMLHeadingElement>(null);
  // It comes unasked, in the middle of something: the heading says so.
  useEffect(() => headingRef.current?.focus(), []);
  const answer = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const said = new FormData(event.currentTarget);
    act("setup.answer", {
      answers: wishes.map((_, index) => typed(said, `wish-${index}`)),
    });
    event.currentTarget.reset();
  };
  const labelOf = ({ kind, text }: SetupWish) =>
    kind === "question" ? text || t("setup.wish.answer") : t(`setup.wish.${kind}`, { user });
  return (
    <section>
      <h2 tabIndex={-1} ref={headingRef}>
        {t("setup.wish.title")}
      </h2>
      {wishes.some(({ kind }) => kind === "question") && (
        <p className="lead">{t("setup.wish.untrusted")}</p>
      )}
      <form className="setup-form" onSubmit={answer}>
        {wishes.map((wish, index) => {
          const field = { name: `wish-${index}`, label: labelOf(wish), required: true };
          return wish.isShown ? (
            <Field key={field.name} {...field} />
          ) : (
            <SecretField key={field.name} {...field} />
          );
        })}
        <div className="form-actions">
          <Button type="submit" kind="primary">
            {t("setup.wish.answer")}
          </Button>
        </div>
      </form>
    </section>
  );
}
