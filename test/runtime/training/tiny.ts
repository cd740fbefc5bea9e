/** A network, data and recipe that train in no time. */
import {
  elaborate,
  elaborateRecipe,
  memoryHost,
  parseTarget,
  type Model,
  type Recipe,
} from "../../../compiler/index.js";
import { openShapes, subset, type DataSet, type LabelledSplit } from "../../../runtime/data/index.js";

const SOURCE = `import { basic } from "std/blocks"
network Tiny(classes = 10) {
  input image 3x32x32
  stage conv1 { conv 3x3, 16, /4   bn   relu }
  stage conv2 { basic(16) }
  head        { global_avg_pool   fc classes   softmax }
}
network NoNorm {
  input image 3x32x32
  stage conv1 { conv 3x3, 4, /4, bias: true   relu }
  head        { global_avg_pool   fc 10   softmax }
}
network TwoHeads {
  input image 3x32x32
  stage conv1 { conv 3x3, 8, /4   bn   relu }
  stage side  { global_avg_pool   fc 10 }
  aux = cross_entropy image.labels, weight: 0.3
  conv1
  stage conv2 { conv 3x3, 8   bn   relu }
  head        { global_avg_pool   fc 10   cross_entropy image.labels   softmax }
}
network Part {
  input image 3x32x32
  stage conv1 { conv 3x3, 8, /4   bn   relu }
  steady = smooth_l1 conv1
}
network Around {
  input image 3x32x32
  Part
  head        { global_avg_pool   fc 10   softmax }
}
network Dropping {
  input image 3x32x32
  stage conv1 { conv 3x3, 4, /4   bn   relu }
  head        { global_avg_pool   dropout 0.5   fc 10   softmax }
}
network AnySize {
  input image 3xHxW
  stage conv1 { conv 3x3, 4, /4   bn   relu }
  head        { global_avg_pool   fc 10   softmax }
}
recipe quick {
  optimizer sgd(momentum: 0.9)
  batch 16
  learning_rate 0.05, cosine()
  warm_up 0.01, steps: 3
  stop 12
  validate 4
  checkpoint 4
  train { normalize(mean: 0.5, std: 0.25)   pad 2   random_crop 32x32   flip_horizontal }
}
recipe with_mean {
  optimizer sgd(momentum: 0.9)
  batch 16
  learning_rate 0.05
  stop 6
  train { subtract_mean(divide: std)   flip_horizontal }
}
recipe with_cut_mean {
  optimizer sgd(momentum: 0.9)
  batch 16
  learning_rate 0.05
  stop 6
  train { subtract_mean   pad 2   random_crop 32x32 }
  evaluate { subtract_mean   pad 2   center_crop 32x32 }
}
`;

export const tinyHost = memoryHost({ "tiny.resnet": SOURCE });

export function tinyModel(name = "Tiny"): Model {
  const { model, diagnostics } = elaborate(parseTarget(`tiny.resnet#${name}`), { host: tinyHost });
  if (!model) throw new Error(JSON.stringify(diagnostics));
  return model;
}

export function tinyRecipe(changes: Partial<Recipe> = {}, name = "quick"): Recipe {
  const { recipe, diagnostics } = elaborateRecipe(parseTarget(`tiny.resnet#${name}`), { host: tinyHost });
  if (!recipe) throw new Error(JSON.stringify(diagnostics));
  return { ...recipe, ...changes };
}

/** The first of the procedural images. */
export async function tinyData(train = 80, validation = 40): Promise<DataSet<LabelledSplit>> {
  const shapes = openShapes();
  const first = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, index) => index);
  return {
    ...shapes,
    train: subset(shapes.train, first(train)),
    validation: subset(shapes.validation, first(validation)),
    test: subset(shapes.test!, first(validation)),
  };
}

export const NAMES = { target: "tiny.resnet#Tiny", recipe: "tiny.resnet#quick", data: "shapes" };
