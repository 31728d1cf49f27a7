/**
 * The switch that lets other programs of this machine ask the node.
 *
 * @module
 */
import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { consoleErrorOf } from "../app/bridge.ts";
import { keys, useEndpoint, useRequest } from "../app/queries.ts";
import { Choice } from "../design/choice.tsx";
import { Facts } from "../design/facts.tsx";
import { useToast } from "../design/toasts.tsx";

export function EndpointSection({ node }: { node: string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { data } = useEndpoint();
  const set = useRequest("endpoint.set");
  const tell = useToast();
  const isOn = data?.node === node;
  const change = (value: "on" | "off") =>
    set.mutate(
      { node: value === "on" ? node : null },
      {
        onSuccess: (view) => client.setQueryData(keys.endpoint, view),
        onError: (error) => tell(t("errors.shown", { ...consoleErrorOf(error) })),
      },
    );
  return (
    <section>
      <h2>{t("endpoint.title")}</h2>
      <p>{t("endpoint.meaning")}</p>
      <Choice
        label={t("endpoint.title")}
        value={isOn ? "on" : "off"}
        options={(["off", "on"] as const).map((value) => ({
          value,
          label: t(`endpoint.${value}`),
        }))}
        onChange={change}
      />
      {isOn && (
        <Facts
          facts={[
            [
              t("endpoint.address"),
              <span key="url" className="code">
                {data.url}
              </span>,
            ],
            [
              t("endpoint.keys"),
              <span key="keys" className="code">
                {data.keysDir}
              </span>,
            ],
          ]}
        />
      )}
    </section>
  );
}
