/**
 * The standard library's files, damaged 2,000 times: no crash, no hang, and whatever is rejected has an error with a
 * place in the text. FUZZ_RUNS and FUZZ_SEED choose others.
 */
import { expect, it } from "vitest";
import { check } from "../../compiler/index.js";
import { STANDARD_FILES } from "../../compiler/std/files.generated.js";
import { processorTime } from "../support/processor-time.js";
import { mutate } from "./mutate.js";

const RUNS = Number(process.env["FUZZ_RUNS"] ?? 2_000);
const SEED = Number(process.env["FUZZ_SEED"] ?? 1);
/** Of processor time: the clock on the wall runs on while other tests have the core. */
const LONGEST_MS = 1000;

const files = Object.entries(STANDARD_FILES);

it.each(files)(
  "%s",
  (path, text) => {
    for (let run = 0; run < RUNS / files.length; run++) {
      const seed = SEED * 1_000_003 + run;
      const damaged = mutate(text, seed);
      const look = () => {
        const spent = processorTime();
        const { diagnostics } = check([{ path: `damaged/${path}`, text: damaged }]);
        return { diagnostics, spent: spent() };
      };
      const { diagnostics, spent } = look();
      // The garbage of many runs may be collected in one of them; a text that takes long takes long again.
      if (spent > LONGEST_MS) expect(look().spent, `seed ${seed} took too long, twice`).toBeLessThan(LONGEST_MS);
      for (const { span, severity, message } of diagnostics) {
        expect(["error", "warning"]).toContain(severity);
        expect(message, `seed ${seed}`).not.toBe("");
        if (span.file !== `damaged/${path}`) continue;
        expect(span.start, `seed ${seed}: ${message}`).toBeGreaterThanOrEqual(0);
        expect(span.end, `seed ${seed}: ${message}`).toBeGreaterThanOrEqual(span.start);
        expect(span.end, `seed ${seed}: ${message}`).toBeLessThanOrEqual(damaged.length);
      }
    }
  },
  600_000,
);

it("rejects what is not the language, with a place", () => {
  const rejected = ["\u0000", "}{", "network", "network {", "=", '"', "1e999", "let a = ["];
  for (const text of rejected) {
    const { diagnostics } = check([{ path: "a.resnet", text }]);
    expect(
      diagnostics.some(({ severity, span }) => severity === "error" && span.file === "a.resnet"),
      text,
    ).toBe(true);
  }
});
