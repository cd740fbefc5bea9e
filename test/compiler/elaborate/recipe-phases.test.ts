/** Recipes that are made of phases. */
import { describe, expect, it } from "vitest";
import { memoryHost } from "../../../compiler/host.js";
import { check, elaborateRecipe, parseTarget } from "../../../compiler/index.js";
import { phaseNamed, phasesOf, type Recipe } from "../../../compiler/recipe.js";
import { recipeProblems } from "../../../compiler/recipe-rules.js";

const TEXT = `recipe turns(first = 80k) {
  optimizer sgd(momentum: 0.9)
  learning_rate 0.1
  freeze stem
  batch 8
  train { flip_horizontal }
  phase rpn { learn proposal_losses   stop first }
  phase heads {
    learn region_losses.classes, region_losses.boxes
    proposals rpn
    weights initial
    batch 16
    stop 40k
    freeze features
    train { pad 4 }
  }
  seed 3
}`;

function read(text: string, set: readonly string[] = []) {
  return elaborateRecipe(parseTarget("r.resnet"), { host: memoryHost({ "r.resnet": text }), set });
}

function phases(set: readonly string[] = []): readonly Recipe[] {
  const { recipe, diagnostics } = read(TEXT, set);
  expect(diagnostics).toEqual([]);
  return phasesOf(recipe!);
}

describe("a phase", () => {
  it("is the recipe with its own settings behind it, wherever they stand", () => {
    const [rpn, heads] = phases();
    expect(rpn).toMatchObject({ name: "rpn", batch: 8, stop: { steps: 80_000 }, frozenStages: ["stem"], seed: 3 });
    expect(rpn).toMatchObject({ learned: ["proposal_losses"], train: [{ kind: "flip_horizontal" }] });
    expect(rpn).not.toHaveProperty("beginsAnew");
    expect(heads).toMatchObject({ name: "heads", batch: 16, frozenStages: ["stem", "features"], seed: 3 });
    expect(heads).toMatchObject({ proposals: "rpn", beginsAnew: true, train: [{ kind: "pad", margin: 4 }] });
    expect(heads!.learned).toEqual(["region_losses.classes", "region_losses.boxes"]);
  });

  it("is changed with the others, or by its name", () => {
    const [rpn, heads] = phases(["batch=2", "rpn.stop=5", "heads.optimizer.momentum=0.5", "heads.batch=4"]);
    expect(rpn).toMatchObject({ batch: 2, stop: { steps: 5 }, optimizer: { momentum: 0.9 } });
    expect(heads).toMatchObject({ batch: 4, stop: { steps: 40_000 }, optimizer: { momentum: 0.5 } });
  });

  it("is found by its name; a recipe without any is one", () => {
    const { recipe } = read(TEXT);
    expect(phaseNamed(recipe!, "heads")).toBe(recipe!.phases![1]);
    expect(() => phaseNamed(recipe!)).toThrow("recipe turns is made of phases (rpn, heads): name one of them");
    expect(() => phaseNamed(recipe!, "head")).toThrow("has no phase head; it has rpn, heads");
    const one = phasesOf(recipe!)[0];
    expect(phasesOf(one)).toEqual([one]);
    expect(phaseNamed(one)).toBe(one);
    expect(() => phaseNamed(one, "rpn")).toThrow("has no phases");
  });
});

describe("what contradicts itself", () => {
  const own = "optimizer sgd(momentum: 0.9)   learning_rate 0.1   batch 2   stop 10";
  const cases: readonly [what: string, body: string, message: string, help?: string][] = [
    [
      "a phase that nothing is",
      "phase a { proposals rnp } phase rpn { stop 3 }",
      "there is no phase `rnp`",
      "did you mean `rpn`?",
    ],
    ["a later phase", "phase a { proposals b } phase b { stop 3 }", "phase b comes after a"],
    ["its own proposals", "phase a { proposals a }", "phase a can't learn from its own proposals"],
    ["two of a name", "phase a { stop 3 } phase a { stop 4 }", "two phases are called `a`"],
    ["a word of recipes as a name", "phase stop { batch 3 }", "a phase can't be called `stop`"],
    ["phases in phases", "phase a { phase b { stop 3 } }", "a phase has no phases of its own"],
    ["no braces", "phase a", "`phase` needs its settings in braces"],
    ["no loss", "phase a { learn [] }", "`learn` needs a loss: without one nothing is learned"],
    ["a seed of its own", "phase a { seed 4 }", "a phase has the seed of its recipe"],
    ["an unknown word", "phase a { bach 4 }", "nothing here is called `bach`", "did you mean `batch`?"],
    ["proposals without phases", "proposals a", "proposals are those of a phase, and there is none"],
    [
      "a beginning without phases",
      "weights initial",
      "`weights initial` is for phases: a recipe without any begins so",
    ],
  ];
  it.each(cases)("%s", (_, body, message, help) => {
    const { recipe, diagnostics } = read(`recipe r { ${own}   ${body} }`);
    expect(recipe).toBeUndefined();
    expect(diagnostics.map((each) => each.message)).toEqual([message]);
    if (help !== undefined) expect(diagnostics[0]!.help).toBe(help);
  });

  it("what is missing, in the phase where it is", () => {
    const { diagnostics } = read(
      "recipe r { optimizer sgd()   learning_rate 0.1   stop 3   phase a { } phase b { batch 2 } }",
    );
    expect(diagnostics.map((each) => each.message)).toEqual(["phase a needs `batch`"]);
  });

  it("without effect, told once", () => {
    const text = `recipe r { ${own}   warm_up 0.2, steps: 3   phase a { weights initial } phase b { stop 4 } }`;
    const messages = check([{ path: "r.resnet", text }]).diagnostics.map(({ code, message }) => [code, message]);
    expect(messages).toEqual([
      ["no-effect", "a warm-up at 0.2 is none: the learning rate is 0.1"],
      ["no-effect", "the first phase, a, begins with the initial weights anyway"],
    ]);
  });

  it("in a program's recipe, too", () => {
    const [rpn, heads] = phases();
    const recipe = { ...heads!, phases: [heads!, rpn!] };
    expect(recipeProblems(recipe).map(({ message }) => message)).toEqual([
      "no phase rpn is over when heads begins",
      "the first phase, heads, begins with the initial weights anyway",
    ]);
  });
});
