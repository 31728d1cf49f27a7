/**
 * Hosts with every address of each: what the kernel lets through while a window is open.
 *
 * @module
 */
import { useTranslation } from "react-i18next";
import type { Proposal } from "../../ipc/contract.ts";

export function Endpoints({ endpoints }: Pick<Proposal, "endpoints">) {
  const { t } = useTranslation();
  const hosts = Map.groupBy(endpoints, ({ name, port }) => `${name} ${port}`);
  return (
    <ul className="endpoints">
      {[...hosts].map(([key, listed]) => (
        <li key={key}>
          <strong>{listed[0]!.name}</strong>{" "}
          <span className="endpoint-port">
            {t("models.proposal.port", { port: listed[0]!.port })}
          </span>
          <ul className="addresses">
            {listed.map(({ address }) => (
              <li key={address} className="code">
                {address}
              </li>
            ))}
          </ul>
        </li>
      ))}
    </ul>
  );
}
