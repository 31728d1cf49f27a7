/**
 * Whether the node's kernel holds the policy, and which of its layers.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import type { Egress, NodeView, Tier } from "../../ipc/contract.ts";
import { formatTime, shortHex } from "../chat/format.ts";
import { Facts } from "../design/facts.tsx";
import { Banner, Dot } from "../design/parts.tsx";

const tiers: readonly Tier[] = ["cgroup", "unix", "lsm"];

type Policy = NonNullable<Egress["policy"]>;

export function PolicyView({ egress, node }: { egress: Egress; node: NodeView }) {
  const { t } = useTranslation();
  const { policy } = egress;
  return (
    <section>
      <h2>{t("egress.policyTitle")}</h2>
      {policy ? (
        <>
          <PolicyState policy={policy} />
          <PolicyFacts policy={policy} countingSince={egress.countingSince} />
          {policy.isInForce && <Tiers policy={policy} />}
        </>
      ) : (
        <Banner tone="danger" shape="box">
          <p>
            <strong>{t("egress.noPolicy")}</strong>
          </p>
          <p>{t("egress.noPolicyText")}</p>
          {node.policyReason && <p>{t("egress.reason", { reason: node.policyReason })}</p>}
        </Banner>
      )}
    </section>
  );
}

function PolicyState({ policy: { isInForce, fault } }: { policy: Policy }) {
  const { t } = useTranslation();
  if (isInForce)
    return (
      <div className="policy-state">
        <p className="policy-line">
          <Dot tone="good" />
          {t("egress.inForce")}
        </p>
        <p className="lead">{t("egress.inForceText")}</p>
        {fault && <p className="lead">{t("egress.reason", { reason: fault })}</p>}
      </div>
    );
  return (
    <Banner tone="danger" shape="box">
      <p>
        <strong>{t("egress.notInForce")}</strong>
      </p>
      <p>{t("egress.notInForceText")}</p>
      {fault && <p>{t("egress.reason", { reason: fault })}</p>}
    </Banner>
  );
}

function PolicyFacts({ policy, countingSince }: { policy: Policy; countingSince: number }) {
  const { t, i18n } = useTranslation();
  const { verifiedAt, programs } = policy;
  return (
    <Facts
      facts={[
        [
          t("egress.verifiedAt"),
          verifiedAt === null ? t("egress.neverVerified") : formatTime(verifiedAt, i18n.language),
        ],
        [t("egress.countingSince"), formatTime(countingSince, i18n.language)],
        [
          t("egress.programs"),
          <span key="programs" className="code">
            {shortHex(programs)}
          </span>,
        ],
      ]}
    />
  );
}

function Tiers({ policy }: { policy: Policy }) {
  const { t } = useTranslation();
  return (
    <>
      <h3>{t("egress.tiersTitle")}</h3>
      <ul className="tiers">
        {tiers.map((tier) => {
          const isInForce = policy.tiers.includes(tier);
          const reason = policy.missing.find((one) => one.tier === tier)?.reason;
          return (
            <li key={tier}>
              <p className="tier-name">
                <Dot tone={isInForce ? "good" : "caution"} />
                <strong>{t(`egress.tier.${tier}.name`)}</strong>
                <span className="tier-state">
                  {isInForce
                    ? t("egress.tierInForce")
                    : reason
                      ? t("egress.tierMissing", { reason })
                      : t("egress.tierMissingPlain")}
                </span>
              </p>
              <p>{t(`egress.tier.${tier}.${isInForce ? "inForce" : "missing"}`)}</p>
            </li>
          );
        })}
      </ul>
    </>
  );
}
