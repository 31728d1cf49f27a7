import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "vite";
import { expect, test } from "vitest";
import { consoleErrorSchema } from "../../ipc/console-error.ts";
import { en } from "./en.ts";

const rendererDir = fileURLToPath(new URL("..", import.meta.url));
const sources = readdirSync(rendererDir, { recursive: true, encoding: "utf8" }).filter((path) =>
  path.endsWith(".tsx"),
);

/** Attributes that people read or hear. */
const spoken = ["label", "title", "placeholder", "alt", "aria-label", "description", "text"];

interface Syntax {
  readonly type: string;
  readonly value?: unknown;
  readonly name?: { readonly name?: unknown };
}

/** Texts that stand in a file's JSX instead of in `en.ts`. */
function literalTexts(path: string, source: string): string[] {
  const found: string[] = [];
  const visit = (node: unknown) => {
    if (Array.isArray(node)) return node.forEach(visit);
    if (typeof node !== "object" || node === null) return;
    const { type, value, name } = node as Syntax;
    if (type === "JSXText" && /\p{L}/u.test(String(value))) found.push(String(value).trim());
    if (type === "JSXAttribute" && spoken.includes(String(name?.name))) {
      const literal = value as { type?: string; value?: unknown } | null;
      if (literal?.type === "Literal") found.push(String(literal.value));
    }
    Object.values(node).forEach(visit);
  };
  visit(parseSync(path, source).program);
  return found;
}

test("the search finds a text in JSX and in an attribute that is read aloud", () => {
  const source = `const a = <p title="Title" className="x">Text {t("key")}</p>;`;
  expect(literalTexts("a.tsx", source)).toEqual(["Title", "Text"]);
});

test.each(sources)("%s holds no text of its own", (path) => {
  expect(literalTexts(path, readFileSync(join(rendererDir, path), "utf8"))).toEqual([]);
});

test("every failure has a meaning and one thing to do", () => {
  const codes = consoleErrorSchema.shape.code.options.toSorted();
  expect(Object.keys(en.errors.by).toSorted()).toEqual(codes);
  expect(Object.keys(en.errors.action).toSorted()).toEqual(codes);
});
