/**
 * How other programs are told of the node: what official clients read by themselves, and a request to try.
 *
 * The key is in none of them: the shell reads it from its file.
 *
 * @module
 */
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Choice } from "../design/choice.tsx";
import { CodeBlock } from "../markdown/code-block.tsx";
import "../markdown/markdown.css";

interface Props {
  readonly url: string;
  readonly keyFile: string;
  /** A name of one of the node's models. */
  readonly model: string;
}

export function EndpointExamples(props: Props) {
  const { t } = useTranslation();
  const [client, setClient] = useState<Client>("openai");
  return (
    <>
      <p>{t("endpoint.examples")}</p>
      <Choice
        label={t("endpoint.client")}
        value={client}
        options={CLIENTS.map((value) => ({ value, label: t(`endpoint.clients.${value}`) }))}
        onChange={setClient}
      />
      {examples(props)[client].map(({ language, code }) => (
        <CodeBlock key={code} code={code} language={language} isGrowing={false} />
      ))}
    </>
  );
}

const CLIENTS = ["openai", "anthropic", "curl"] as const;
type Client = (typeof CLIENTS)[number];

interface Example {
  readonly language: "sh" | "python";
  readonly code: string;
}

function examples({ url, keyFile, model }: Props): Record<Client, readonly Example[]> {
  const key = `"$(cat ${quoted(keyFile)})"`;
  const name = JSON.stringify(model);
  const messages = '[{"role": "user", "content": "Hello"}]';
  return {
    openai: [
      sh(`export OPENAI_BASE_URL=${url}`, `export OPENAI_API_KEY=${key}`),
      python(
        "from openai import OpenAI",
        "answer = OpenAI().chat.completions.create(",
        `    model=${name}, messages=${messages}`,
        ")",
        "print(answer.choices[0].message.content)",
      ),
    ],
    anthropic: [
      sh(`export ANTHROPIC_BASE_URL=${originOf(url)}`, `export ANTHROPIC_API_KEY=${key}`),
      python(
        "from anthropic import Anthropic",
        "answer = Anthropic().messages.create(",
        `    model=${name}, max_tokens=200, messages=${messages}`,
        ")",
        "print(answer.content[0].text)",
      ),
    ],
    curl: [
      sh(
        `curl ${url}/chat/completions \\`,
        `  -H "Authorization: Bearer $(cat ${quoted(keyFile)})" \\`,
        '  -H "Content-Type: application/json" \\',
        `  -d ${quoted(`{"model": ${name}, "messages": ${messages}}`)}`,
      ),
    ],
  };
}

function sh(...lines: readonly string[]): Example {
  return { language: "sh", code: lines.join("\n") };
}

function python(...lines: readonly string[]): Example {
  return { language: "python", code: lines.join("\n") };
}

/** One word of a shell, whatever is in it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** Anthropic's clients add the version to the address themselves. */
export function originOf(url: string): string {
  return url.replace(/\/v1$/, "");
}
