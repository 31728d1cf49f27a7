import { expect, test } from "vitest";
import { isAtEnd, nextFollowing, startFollowing } from "./follow-end.ts";

const view = (scrollTop: number, scrollHeight = 1000) => ({
  scrollTop,
  scrollHeight,
  clientHeight: 400,
});
const following = { isFollowing: true, scrollTop: 600, scrollHeight: 1000 };

test("a new conversation is followed", () => {
  expect(startFollowing.isFollowing).toBe(true);
});

test("a reader who scrolls up is left alone, even by a few pixels", () => {
  expect(nextFollowing(following, view(590)).isFollowing).toBe(false);
  expect(nextFollowing(following, view(100)).isFollowing).toBe(false);
});

test("text that arrives meanwhile does not take a reader along", () => {
  const reading = nextFollowing(following, view(300));
  expect(nextFollowing(reading, view(300, 2000)).isFollowing).toBe(false);
  expect(nextFollowing(reading, view(350, 3000)).isFollowing).toBe(false);
});

test("a reader who returns to the end is followed again", () => {
  const reading = nextFollowing(following, view(300));
  expect(nextFollowing(reading, view(590)).isFollowing).toBe(true);
});

test("text that grows below the view does not end following", () => {
  expect(nextFollowing(following, view(600, 1400)).isFollowing).toBe(true);
});

test("a view that is pulled up because text became shorter still follows", () => {
  expect(nextFollowing(following, view(500, 900)).isFollowing).toBe(true);
});

test("the end has a margin of about one line", () => {
  expect(isAtEnd(view(570))).toBe(true);
  expect(isAtEnd(view(500))).toBe(false);
});
