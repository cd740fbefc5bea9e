/** What the learning rate does after the warm-up, as recipes write it: `cosine(to: 0.001)`. */
import type { Schedule } from "../recipe.js";
import { choice, integer, number, numbers, words, type Form } from "../words/schema.js";

const to = number("The rate at the end.", { min: 0, default: 0 });

export const SCHEDULES = words({
  constant: { doc: "It stays.", arguments: {} },
  divide: {
    doc: "Divided at some moments: the paper's, at 32k and 48k updates (section 4.2).",
    arguments: {
      by: number("What it is divided by.", { min: 1 }),
      at: numbers("Updates after which it is divided.", { min: 0, optional: true }),
      epochs: numbers("Epochs after which it is divided.", { min: 0, optional: true }),
    },
    alternatives: ["at", "epochs"],
    needs: ["at", "epochs"],
  },
  plateau: {
    doc: "Divided when the validation error has not improved for a while (section 3.4).",
    arguments: {
      by: number("What it is divided by.", { min: 1, default: 10 }),
      patience: integer("Validations without an improvement.", { min: 1, default: 5 }),
      times: integer("How often, at most.", { min: 1, default: 3 }),
    },
  },
  cosine: { doc: "Half a cosine from the base rate to another.", source: "arXiv:1608.03983", arguments: { to } },
  linear: { doc: "A straight line from the base rate to another.", arguments: { to } },
  one_cycle: {
    doc: "Up to the base rate and down again, as PyTorch's OneCycleLR without its momentum.",
    source: "arXiv:1708.07120",
    arguments: {
      pct_start: number("Share of all updates in which it rises.", { min: 0, max: 1, default: 0.3 }),
      div_factor: number("Base rate by first rate.", { min: 1, default: 25 }),
      final_div_factor: number("First rate by last rate.", { min: 1, default: 10_000 }),
      anneal: choice("The shape of both ways.", ["cosine", "linear"], { default: "cosine" }),
    },
  },
  cosine_restarts: {
    doc: "Half a cosine from the base rate to another, again and again.",
    source: "arXiv:1608.03983",
    arguments: {
      steps: integer("Length of the first cycle in updates.", { min: 1, optional: true }),
      epochs: integer("Length of the first cycle in epochs.", { min: 1, optional: true }),
      multiply: number("Each cycle is so many times as long as the one before it.", { min: 1, default: 1 }),
      to,
    },
    alternatives: ["steps", "epochs"],
    needs: ["steps", "epochs"],
  },
});

/** The schedule that is meant. */
export function scheduleOf(written: Form<(typeof SCHEDULES)[keyof typeof SCHEDULES]> | undefined): Schedule {
  switch (written?.form) {
    case undefined:
    case "constant":
      return { kind: "constant" };
    case "divide": {
      const { by, at, epochs } = written.values;
      return { kind: "divide", by, at: epochs ?? at ?? [], unit: epochs ? "epoch" : "step" };
    }
    case "plateau":
      return { kind: "plateau", ...written.values };
    case "cosine":
    case "linear":
      return { kind: written.form, ...written.values };
    case "one_cycle": {
      const { pct_start, div_factor, final_div_factor, anneal } = written.values;
      return {
        kind: "one_cycle",
        pctStart: pct_start,
        divFactor: div_factor,
        finalDivFactor: final_div_factor,
        anneal,
      };
    }
    case "cosine_restarts": {
      const { steps = 1, epochs, multiply, to } = written.values;
      return { kind: "cosine_restarts", every: epochs ?? steps, unit: epochs ? "epoch" : "step", multiply, to };
    }
  }
}
