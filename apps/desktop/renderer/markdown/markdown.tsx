/**
 * A model's answer as formatted text. Untrusted: see `allowed.ts` for what it may become.
 *
 * @module
 */
import { memo, useRef, type ReactNode } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import { allowedElements } from "./allowed.ts";
import { CodeBlock } from "./code-block.tsx";
import { ImageAsText, LinkThatAsks } from "./references.tsx";
import { noBlocks, splitBlocks } from "./split-blocks.ts";
import "./markdown.css";

export function Markdown({ text, isGrowing }: { text: string; isGrowing: boolean }) {
  const before = useRef(noBlocks);
  const cut = splitBlocks(text, before.current);
  before.current = cut;
  return (
    <div className="markdown">
      {cut.blocks.map((block, index) => (
        // Blocks only ever join at the end, so a place identifies a block.
        <Block key={index} text={block} isGrowing={isGrowing && index === cut.blocks.length - 1} />
      ))}
    </div>
  );
}

/** Memoised: a settled block is parsed once, however long the answer becomes. */
const Block = memo(({ text, isGrowing }: { text: string; isGrowing: boolean }) => {
  const code = isGrowing ? openCode(text) : undefined;
  if (code) return <CodeBlock code={code.code} language={code.language} isGrowing />;
  const limit = isGrowing ? MAX_GROWING_CHARACTERS : MAX_FORMATTED_CHARACTERS;
  if (text.length > limit) return <p className="markdown-plain">{text}</p>;
  return (
    <ReactMarkdown
      remarkPlugins={plugins}
      allowedElements={allowedElements}
      unwrapDisallowed
      urlTransform={keepAddress}
      components={components}
    >
      {text}
    </ReactMarkdown>
  );
});
Block.displayName = "Block";

/** A block that grows is parsed on every frame: 2,000 characters take about 2 ms. */
const MAX_GROWING_CHARACTERS = 4_000;
/** A settled one is parsed once: 30,000 characters take about 30 ms. */
const MAX_FORMATTED_CHARACTERS = 24_000;

const plugins = [[remarkGfm, { singleTilde: false }]] satisfies [[typeof remarkGfm, object]];

/** Addresses are judged where they are shown, and none is ever put into an attribute. */
const keepAddress = (address: string) => address;

/** An unfinished fence as what it will be: parsing it as Markdown on every frame would be wasted. */
function openCode(text: string): { code: string; language: string } | undefined {
  const found = /^(`{3,}|~{3,})([^\n`]*)\n([^]*)$/.exec(text);
  if (!found) return undefined;
  const [, fence = "", name = "", code = ""] = found;
  if (code.split("\n").some((line) => line.trim().startsWith(fence))) return undefined;
  return { code, language: name.trim().split(/\s/)[0] ?? "" };
}

const components: Components = {
  a: ({ href, children }) => <LinkThatAsks address={href}>{children}</LinkThatAsks>,
  img: ({ src, alt }) => <ImageAsText address={typeof src === "string" ? src : ""} name={alt} />,
  pre: ({ children }) => <>{children}</>,
  code: ({ className, children }) => {
    const text = textOf(children);
    const language = /language-(\S+)/.exec(className ?? "")?.[1];
    if (language === undefined && !text.endsWith("\n")) return <code>{children}</code>;
    return <CodeBlock code={text.replace(/\n$/, "")} language={language ?? ""} isGrowing={false} />;
  },
  table: ({ children }) => (
    // A wide table scrolls by itself, and the keyboard must reach what scrolls.
    <div className="markdown-table" tabIndex={0}>
      <table>{children}</table>
    </div>
  ),
  input: ({ checked }) => <span className="markdown-check">{checked ? "☑" : "☐"}</span>,
};

function textOf(children: ReactNode): string {
  if (typeof children === "string") return children;
  return Array.isArray(children) ? children.map(textOf).join("") : "";
}
