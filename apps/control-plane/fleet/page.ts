/**
 * The operator's page: one table of counts and three lists, as text. It has no script and loads nothing.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Summary } from "./summary.ts";

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.05rem; margin-top: 2rem; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: 1rem; }
dt { opacity: .75; } dd { margin: 0; font-size: 1.6rem; font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
code { font-size: .9em; overflow-wrap: anywhere; }`;

/** Only its own style, by digest; no script, no image, no form, no frame. */
export const PAGE_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

export function pageOf({ at, counts, health, releases, lastSeen, expiring }: Summary): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Phantoma fleet</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Fleet</h1>
<p>Counted at <time>${timeText(at)}</time>. Nothing else is known of these nodes.</p>
<dl>
${fact("Nodes with a licence", counts.nodes)}
${fact("Seen in 40 minutes", counts.recent)}
${fact("Seen in 24 hours", counts.today)}
${fact("Never seen", counts.never)}
${fact("Good", health.good)}
${fact("Degraded", health.degraded)}
${fact("Failing", health.failing)}
${fact("Licences", counts.licences)}
${fact("Revoked", counts.revoked)}
</dl>
${table(
  "Versions",
  ["Release", "Keys", "List", "Nodes"],
  releases.map(({ release, root, targets, nodes }) => [
    code(releaseText(release)),
    `${root}`,
    `${targets}`,
    `${nodes}`,
  ]),
)}
${table(
  "Last seen",
  ["Node", "Time", "Health"],
  lastSeen.map(({ node, at: seenAt, health: state }) => [
    code(short(node)),
    timeText(seenAt),
    escape(state),
  ]),
)}
${table(
  "Licences that end",
  ["Holder", "Node", "Ends", "Days of grace"],
  expiring.map(({ holder, node, notAfter, graceDays }) => [
    escape(holder),
    code(short(node)),
    timeText(notAfter),
    `${graceDays}`,
  ]),
)}
</main>
</body>
</html>
`;
}

function fact(name: string, value: number): string {
  return `<div><dt>${name}</dt><dd>${value.toLocaleString("en")}</dd></div>`;
}

function table(
  title: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join("")}</tr>`;
  const body =
    rows.length > 0
      ? rows.map((cells) => line(cells, "td")).join("\n")
      : `<tr><td colspan="${head.length}">none</td></tr>`;
  return `<h2>${title}</h2>\n<table>\n<thead>${line(head, "th")}</thead>\n<tbody>\n${body}\n</tbody>\n</table>`;
}

/** A tree that nobody signed reports zeros. */
function releaseText(release: string): string {
  return /^0+$/.test(release) ? "not released" : short(release);
}

function short(hex: string): string {
  return hex.slice(0, 16);
}

function code(text: string): string {
  return `<code>${escape(text)}</code>`;
}

function timeText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace("T", " ");
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
