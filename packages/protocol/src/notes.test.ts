/** The gateway's hints: a closed list, and everything else is ignored. */
import { expect, test } from "vitest";
import { MAX_NOTE_BYTES } from "./limits.ts";
import { decodeNote, encodeNote, type Note } from "./notes.ts";

const notes: Note[] = [
  { note: "queued", position: 1 },
  { note: "queued", position: 1_000_000 },
  { note: "assigned" },
  { note: "going-away" },
];

test.each(notes)("the note $note comes back as it was sent", (note) => {
  expect(decodeNote(Buffer.from(encodeNote(note)))).toEqual(note);
});

test.each([
  ["an unknown note", `{"note":"hello"}`],
  ["position 0", `{"note":"queued","position":0}`],
  ["a position past a million", `{"note":"queued","position":1000001}`],
  ["half a position", `{"note":"queued","position":1.5}`],
  ["no position", `{"note":"queued"}`],
  ["a field too many", `{"note":"assigned","text":"hi"}`],
  ["no JSON", "queued"],
  ["nothing", ""],
  ["null", "null"],
])("%s is no note", (_name, text) => {
  expect(decodeNote(Buffer.from(text))).toBeUndefined();
});

test("bytes that are not UTF-8 are no note", () => {
  expect(decodeNote(Buffer.from([0xff, 0xfe]))).toBeUndefined();
});

test("a note at the limit is read, one byte longer is ignored", () => {
  const text = encodeNote({ note: "assigned" });
  expect(decodeNote(Buffer.from(text.padEnd(MAX_NOTE_BYTES)))).toEqual({ note: "assigned" });
  expect(decodeNote(Buffer.from(text.padEnd(MAX_NOTE_BYTES + 1)))).toBeUndefined();
});
