/** What a model's scores are, for commands that show them. */
import { Option } from "commander";
import type { ScoreOutput } from "../runtime/classification/scores.js";

export function scoresOption(): Option {
  return new Option("--scores <kind>", "what the output is, for models whose graph doesn't tell").choices([
    "logits",
    "probabilities",
    "independent",
  ]);
}

/** For programs: the output that was read, what its numbers are, and what was done to them. */
export function scoresReport({ name, kind, applied, ofTwo }: ScoreOutput) {
  return { output: name, kind, applied, ...(ofTwo && { ofTwo: true }) };
}

/** For people, where it is not what they would take for granted. */
export function explainScores({ kind, ofTwo }: ScoreOutput): string | undefined {
  if (kind !== "independent") return undefined;
  return ofTwo
    ? "one output for two classes (sigmoid): the probability of the second, and for the first what is left"
    : "each class has a probability of its own (sigmoid): they don't add up to 1";
}
