import { expect, it } from "vitest";
import { lines } from "../../cli/progress.js";

it("writes a plain line at most every five seconds, with rate and time left", () => {
  let time = 100;
  const written: string[] = [];
  const progress = lines(
    "classifying",
    500,
    "images",
    (text) => written.push(text),
    () => time,
  );
  for (const [at, done] of [
    [101, 40],
    [106, 240],
    [107, 280],
    [111.5, 460],
  ] as const) {
    time = at;
    progress.update(done);
  }
  progress.stop();
  expect(written).toEqual([
    "classifying: 240/500 images, 40 images/s, 7 s left",
    "classifying: 460/500 images, 40 images/s, 1 s left",
  ]);
});
