import { expect, test } from "vitest";
import { aptMirror } from "./apt-mirror.ts";

const paragraphs = `Types: deb
# the archive as of a day
URIs: http://debian.example/debian
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: http://debian.example/debian-security
Suites: bookworm-security
`;

test("the mirror is found in both of apt's formats", () => {
  expect(aptMirror([paragraphs])).toBe("http://debian.example/debian");
  expect(aptMirror(["deb [signed-by=/key.gpg] http://lines.example/debian bookworm main\n"])).toBe(
    "http://lines.example/debian",
  );
});

test("sources of other suites, and other people's, are passed over", () => {
  const others =
    "deb http://other.example/apt stable main\ndeb-src http://a.example bookworm main\n";
  expect(aptMirror([others, paragraphs])).toBe("http://debian.example/debian");
});

test("without a source for the suite there is no guess", () => {
  expect(() => aptMirror(["deb http://old.example/debian bullseye main"])).toThrow("bookworm");
});
