/**
 * The switch that lets other programs of this machine ask the node, and what those programs have to be told.
 *
 * @module
 */
import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { consoleErrorOf } from "../app/bridge.ts";
import { keys, useEndpoint, useRequest } from "../app/queries.ts";
import { Button } from "../design/button.tsx";
import { Choice } from "../design/choice.tsx";
import { CopyButton } from "../design/copy-button.tsx";
import { Facts } from "../design/facts.tsx";
import { useToast } from "../design/toasts.tsx";
import { EndpointExamples, originOf } from "./endpoint-examples.tsx";

/** @param model a name of one of its models, once they are known */
export function EndpointSection({ node, model }: { node: string; model: string | undefined }) {
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
  const { url, keyFile } = data ?? {};
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
      {isOn && url && keyFile && (
        <>
          <Facts
            facts={[
              [t("endpoint.openAiAddress"), <Copied key="url" text={url} />],
              [t("endpoint.anthropicAddress"), <Copied key="origin" text={originOf(url)} />],
              [t("endpoint.key"), <KeyLine key="key" keyFile={keyFile} />],
            ]}
          />
          <EndpointExamples url={url} keyFile={keyFile} model={model ?? t("endpoint.anyModel")} />
        </>
      )}
    </section>
  );
}

function Copied({ text }: { text: string }) {
  const { t } = useTranslation();
  return (
    <>
      <span className="code">{text}</span> <CopyButton text={text} label={t("endpoint.copy")} />
    </>
  );
}

/** The key goes to the clipboard; the page shows only where it lies. */
function KeyLine({ keyFile }: { keyFile: string }) {
  const { t } = useTranslation();
  const tell = useToast();
  const fetchKey = useRequest("endpoint.key");
  const copy = () =>
    fetchKey.mutate(
      {},
      {
        onSuccess: ({ key }) =>
          void navigator.clipboard.writeText(key).then(() => tell(t("endpoint.keyCopied"))),
        onError: (error) => tell(t("errors.shown", { ...consoleErrorOf(error) })),
        onSettled: () => fetchKey.reset(),
      },
    );
  return (
    <>
      <Button disabled={fetchKey.isPending} onClick={copy}>
        {t("endpoint.copyKey")}
      </Button>{" "}
      <span className="code">{keyFile}</span>
    </>
  );
}
