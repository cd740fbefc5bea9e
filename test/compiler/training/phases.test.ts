/** Training in phases: what the graphs of each hold, and what contradicts a network. */
import { describe, expect, it } from "vitest";
import { phasesOf, type Recipe } from "../../../compiler/recipe.js";
import { buildTraining, trainedParameters } from "../../../compiler/training/build.js";
import { recipeOptions } from "../../../compiler/training/from-recipe.js";
import { planPhases } from "../../../compiler/training/phase-plan.js";
import { proposerOf } from "../../../compiler/training/proposals.js";
import { alternatingRecipe, tinyDetector, tinyDetectorRecipe } from "../../support/tiny-detector-training.js";

const model = tinyDetector();

function programOf(phase: Recipe) {
  return buildTraining(model, { ...recipeOptions(phase), evaluationBatch: 1, sizes: { H: 64, W: 64 } });
}

const [rpn, heads, rpnAgain, headsAgain] = phasesOf(alternatingRecipe()).map(programOf);

/** First parts of the paths of what a graph computes. */
function parts({ train }: NonNullable<typeof rpn>): Set<string> {
  return new Set(train.graph.nodes.map(({ path }) => path.replace(/^training\./, "").split(".")[0]!));
}

function lossesOf({ train }: NonNullable<typeof rpn>): string[] {
  return train.graph.outputs.map(({ name }) => name).filter((name) => name.startsWith("loss"));
}

describe("the graphs of a phase", () => {
  it("learn its losses alone, and hold nothing that these do not need", () => {
    expect(lossesOf(rpn!)).toEqual(["loss", "loss.proposal_losses.objectness", "loss.proposal_losses.boxes"]);
    expect(lossesOf(heads!)).toEqual(["loss", "loss.region_losses.classes", "loss.region_losses.boxes"]);
    const [ofRpn, ofHeads] = [parts(rpn!), parts(heads!)];
    for (const head of ["head", "sampled", "region_losses"]) {
      expect(ofRpn, head).not.toContain(head);
      expect(ofHeads, head).toContain(head);
    }
    for (const of of ["rpn", "regions", "proposal_losses"]) expect(ofHeads, of).not.toContain(of);
    expect(ofRpn).toContain("rpn");
    const kinds = new Set(heads!.train.graph.nodes.map(({ op }) => op));
    for (const op of ["nms", "top_k", "anchors", "unless_given"]) expect(kinds).not.toContain(op);
  });

  it("take kept proposals as their inputs, as many as there are", () => {
    const named = (program: NonNullable<typeof rpn>) => program.train.targets.map(({ name }) => name).sort();
    expect(named(rpn!)).toEqual(["objects.boxes", "objects.present"]);
    expect(named(heads!)).toEqual(
      ["objects.boxes", "objects.labels", "objects.present", "proposals.boxes", "proposals.present"].sort(),
    );
    const [noise] = heads!.train.noise;
    expect(JSON.stringify(noise!.shape)).toContain("proposals");
  });

  it("train what its losses depend on, without what is frozen", () => {
    const trained = (program: NonNullable<typeof rpn>) => [
      ...new Set(program.trained.map(({ path }) => path.split(".")[0])),
    ];
    expect(trained(rpn!)).toEqual(["body", "rpn"]);
    expect(trained(heads!)).toEqual(["body", "head"]);
    expect(trained(rpnAgain!)).toEqual(["rpn"]);
    expect(trained(headsAgain!)).toEqual(["head"]);
    // Statistics of batch norms, too.
    for (const program of [rpnAgain!, headsAgain!]) {
      expect(program.train.writes.filter(({ name }) => name.includes("body."))).toEqual([]);
    }
  });

  it("are those of a joint training without `learn`, to the node", () => {
    const joint = programOf(tinyDetectorRecipe());
    expect(joint.train.targets.map(({ name }) => name)).not.toContain("proposals.boxes");
    expect(joint.train.graph.nodes.map(({ op }) => op)).not.toContain("unless_given");
    expect(joint.trained.length).toBe(rpn!.trained.length + headsAgain!.trained.length);
  });
});

describe("the plan of a recipe's phases", () => {
  it("says what is measured, and whose proposals are kept", () => {
    const plan = planPhases(model, alternatingRecipe());
    expect(plan.map(({ measures }) => measures)).toEqual(["proposals", "nothing", "network", "network"]);
    expect(plan.map(({ keepsProposals }) => keepsProposals)).toEqual([true, false, true, false]);
    expect(planPhases(model, tinyDetectorRecipe())).toEqual([
      { recipe: tinyDetectorRecipe(), measures: "network", keepsProposals: false },
    ]);
  });

  const refusals: readonly [what: string, set: readonly string[], message: RegExp][] = [
    [
      "a loss that the network does not state",
      ["rpn.learn=proposal_loses"],
      /no loss proposal_loses; did you mean proposal_losses\?/,
    ],
    [
      "a loss of which all is frozen",
      ["rpn_on_shared.freeze=[body, rpn]"],
      /proposal_losses.objectness is to be learned, and all .* frozen/,
    ],
    [
      "proposals of a phase that trains no proposals",
      ["heads_on_shared.proposals=heads"],
      /heads does not train what proposes \(rpn\.conv/,
    ],
    [
      "proposals for losses that are of none",
      ["rpn_on_shared.proposals=rpn"],
      /none of the losses that are learned is of any/,
    ],
    ["parts that are not there", ["heads.freeze=boddy"], /no stage, block or layer boddy; did you mean body/],
  ];
  it.each(refusals)("refuses %s", (_, set, message) => {
    expect(() => planPhases(model, alternatingRecipe(set))).toThrow(message);
  });
});

it("what a detector proposes is a detector of one class, without its head", () => {
  const proposer = proposerOf(model);
  expect(proposer.graph.outputs.map(({ name }) => name)).toEqual(["boxes", "scores", "labels", "images"]);
  expect(proposer.graph.parameters.map(({ path }) => path.split(".")[0])).not.toContain("head");
  expect(trainedParameters(model, recipeOptions(tinyDetectorRecipe())).size).toBeGreaterThan(0);
});
