/** A weight file for a network: everything that has to be done and said between the two, for programs and commands. */
import { sizeOfMean, subtractingMean, type MeanImage } from "../../compiler/mean-image.js";
import type { EmitModelOptions } from "../../compiler/compile.js";
import type { ParameterValues } from "../../compiler/emit/parameters.js";
import { originIn, type WeightsOrigin } from "../../compiler/metadata.js";
import type { Model, Preprocess } from "../../compiler/model.js";
import { fitted, imageChannels, normalizationOf } from "../../compiler/preprocess.js";
import { layerPath } from "../../compiler/weights/rename.js";
import { withAdaptedInput, withNewHead } from "./adapt.js";
import { BATCH_NORM_EPSILON } from "./epsilon.js";
import { firstConvolutions, headLayers } from "./layers.js";
import { isComplete, matchWeights, OWN_NAMES, theirLayers, type Match, type MatchOptions } from "./match.js";
import { describeMismatch, unusedRenameLines } from "./report.js";
import { plainName } from "./shown.js";
import { WeightsError, type TensorSource } from "./source.js";
import { nameOf, summarizeNames } from "./state-dicts.js";
import { strideWarning } from "./stride.js";
import { readTrained, type ReadTrained } from "./trained.js";
import { matchedValues } from "./values.js";

/** How a weight file is matched with a network. */
export interface LoadWeightsOptions extends MatchOptions {
  /** Parameters without a tensor of their shape keep their initial values. Default: that is an error. */
  readonly lenient?: boolean;
  /** The last layer (of a detector its class and box predictors) begins anew, whatever the file has; no other may differ. */
  readonly newHead?: boolean;
  /** A first convolution for another number of channels is made the network's, as timm does. Default: that is an error. */
  readonly adaptInput?: boolean;
  /** What the file's batch norms add to the variance. Default: what the name map says, else 1e-5. */
  readonly epsilon?: number;
  /** The preprocessing, in place of the one that the weights were trained with. */
  readonly preprocess?: Preprocess;
}

/** Who says which preprocessing it is. */
export type PreprocessOrigin = "option" | "training" | "weights" | "network";

/** What there is to say of weights that were loaded, for programs. */
export interface WeightsReport {
  readonly file: string;
  /** The name map, or `own paths`. */
  readonly names: string;
  /** Which state dict of the file was taken: the keys and prefixes before the names; `.` where there are none. */
  readonly stateDict: string;
  /** Others in the file that fit as well. */
  readonly otherStateDicts: readonly string[];
  /** Parameters that have the file's values. */
  readonly loaded: number;
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
  readonly misshaped: readonly string[];
  /** Parameters of a new head, which begin as in a new network. */
  readonly fresh: readonly string[];
  /** What else the file has, in short: `optimizer (124 tensors), best_acc1, args (argparse.Namespace)`. */
  readonly passedOver: string;
  /** What the file's batch norms were taken to add to the variance. */
  readonly epsilon: number;
  /** The preprocessing that follows, and who says so. */
  readonly preprocess: { readonly name: string; readonly from: PreprocessOrigin } | null;
}

/** Weights of a file, matched with a network; values are read when they are asked for. */
export interface LoadedWeights {
  readonly values: ParameterValues;
  /** What is to be compiled: the network, with the mean image of its training subtracted where it had one. */
  readonly model: Model;
  /** For `compile` and `emitModel`: the values, and the preprocessing that the weights were trained with. */
  readonly emit: Pick<EmitModelOptions, "weights" | "preprocess" | "labels" | "origin">;
  /** The preprocessing that the compiled model will have. */
  readonly preprocess: Preprocess | undefined;
  /** What should give pause: one or more lines each. */
  readonly warnings: readonly string[];
  /** What was found, chosen and assumed: one line each. */
  readonly notes: readonly string[];
  readonly report: WeightsReport;
  /** To be called when the values were used: they are read from the file until then. */
  close(): void;
}

/**
 * Matches weights with a network, as `resnetc compile --weights` does.
 *
 * @throws {WeightsError} several lines where they do not fit and that was not allowed
 */
export function weightsFor(model: Model, source: TensorSource, options: LoadWeightsOptions): LoadedWeights {
  const trained = readTrained(source);
  const stateDict = options.stateDict ?? validated(source, trained);
  const found = matchWeights(source, model.graph.parameters, model.weightMaps, {
    ...(stateDict !== undefined && { stateDict }),
  });
  const { match, fresh, notes: adapted } = adaptedMatch(model, found, options);
  const mismatch = describeMismatch(match, model);
  if (options.lenient ? match.origins.size === 0 : mismatch !== undefined) throw new WeightsError(mismatch ?? "");
  const values = matchedValues(match, options);
  const stride = [strideWarning(model, match.map) ?? []].flat();
  const { preprocess, from, assumed } = preprocessFor(model, match, options, trained);
  const meanImage = from === "training" ? trained?.meanImage : undefined;
  const report = reportOf(source, match, options, fresh, preprocess && { name: preprocess.name, from });
  return {
    values,
    model: meanImage ? withMean(model, meanImage, source) : model,
    emit: {
      weights: values,
      ...(preprocess && from !== "network" && { preprocess }),
      ...(trained && isComplete(match) && fresh.length === 0 && { labels: trained.labels }),
      origin: originOf(match, trained, source),
    },
    preprocess,
    warnings: [
      ...(mismatch === undefined ? [] : [mismatch]),
      ...choiceWarnings(match, options),
      ...(assumed === undefined ? [] : [`${model.name}: ${assumed}`]),
      ...stride,
      ...partWarnings(model, match, from, trained),
      ...factorWarnings(match),
      ...callWarnings(source),
      ...[(meanImage && sizeOfMean(model, meanImage)) ?? []].flat(),
      ...(from === "training" ? meanImageWarnings(source, trained) : []),
    ],
    notes: [
      summary(match, report),
      ...adapted,
      ...epsilonNotes(model, match, report, options),
      ...(mismatch === undefined ? unusedRenameLines(match, model) : []),
    ],
    report,
    close: () => source.close(),
  };
}

/** Of a checkpoint, the state dict that was validated: the averages, where the recipe makes them. */
function validated(source: TensorSource, trained: ReadTrained | undefined): string | undefined {
  if (trained) return trained.prefix === "" ? undefined : nameOf(trained.prefix);
  const isCheckpoint = source.metadata["resnetc.checkpoint"] !== undefined;
  return isCheckpoint && [...source.tensors.keys()].some((name) => name.startsWith("ema.")) ? "ema" : undefined;
}

function originOf(
  { parameters, origins }: Match,
  trained: ReadTrained | undefined,
  source: TensorSource,
): WeightsOrigin {
  const said = trained ? undefined : originSaid(source);
  const fresh = parameters.filter(({ path, trainable }) => trainable && !origins.has(path)).map(layerPath);
  const random = [...new Set([...fresh, ...(said?.random ?? [])])].slice(0, 20);
  return {
    from: trained ? "training" : (said?.from ?? "given"),
    ...(random.length > 0 && said?.from !== "random" && { random }),
  };
}

/** What `export` wrote of weights that were random: they are no better for having been in a file. */
function originSaid({ file, metadata }: TensorSource): WeightsOrigin | undefined {
  try {
    return originIn(metadata);
  } catch (error) {
    throw new WeightsError(`${file}: ${(error as Error).message}`);
  }
}

function withMean(model: Model, mean: MeanImage, { file }: TensorSource): Model {
  try {
    return subtractingMean(model, mean);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new WeightsError(`${file}: ${model.name}: ${error.message}`);
  }
}

function meanImageWarnings({ file }: TensorSource, trained: ReadTrained | undefined): string[] {
  if (!trained?.meanImageElsewhere) return [];
  return [
    `${file}: its training subtracts a mean image, which is not in this file: take a checkpoint of it ` +
      "(checkpoints/best.safetensors), or the model.onnx beside it as it is",
  ];
}

function adaptedMatch(model: Model, found: Match, { newHead, adaptInput }: LoadWeightsOptions) {
  let match = found;
  const notes: string[] = [];
  const fresh: string[] = [];
  if (newHead) {
    const heads = headLayers(model.graph);
    if (heads.length === 0) {
      throw new WeightsError(
        `${model.name} ends in no layer with weights: there is no head to begin anew (--new-head)`,
      );
    }
    const changed = withNewHead(match, heads);
    match = changed.match;
    notes.push(...changed.notes);
    fresh.push(...changed.fresh);
    if (match.origins.size === 0) throw new WeightsError(describeMismatch(found, model) ?? "");
  }
  if (adaptInput) {
    const changed = withAdaptedInput(match, firstConvolutions(model.graph));
    match = changed.match;
    notes.push(...changed.notes);
  }
  return { match, notes, fresh };
}

/** Whether these are the weights of a network that a detector was built on. */
function isBackbone({ detection, name }: Model, trained: ReadTrained): boolean {
  return detection !== undefined && trained.network !== name;
}

function preprocessFor(
  model: Model,
  { map }: Match,
  options: LoadWeightsOptions,
  trained: ReadTrained | undefined,
): { readonly preprocess: Preprocess | undefined; readonly from: PreprocessOrigin; readonly assumed?: string } {
  const { trainedWith } = map;
  const channels = imageChannels(model);
  if (options.preprocess) return { ...fitted(options.preprocess, channels), from: "option" };
  // A detector on a backbone that was trained by itself is given images as its own source says.
  if (trained && !isBackbone(model, trained)) return { preprocess: trained.preprocess, from: "training" };
  // The same with other arguments, a detector's on smaller images, is what the user asked for.
  if (
    trainedWith !== undefined &&
    trainedWith.name !== model.preprocess?.name &&
    (channels ?? 3) <= 3 &&
    channels !== 2
  ) {
    return { ...fitted(trainedWith, channels), from: "weights" };
  }
  return { preprocess: model.preprocess, from: "network" };
}

function reportOf(
  file: TensorSource,
  match: Match,
  { epsilon }: LoadWeightsOptions,
  fresh: readonly string[],
  preprocess: WeightsReport["preprocess"] | undefined,
): WeightsReport {
  const { map, origins, missing, unexpected, misshaped, prefix, alternatives } = match;
  return {
    file: match.source.file,
    names: map.name,
    stateDict: plainName(nameOf(prefix)),
    otherStateDicts: alternatives.map((each) => plainName(nameOf(each))),
    loaded: origins.size,
    missing: missing.map(({ path }) => path),
    unexpected: unexpected.map((name) => plainName(name)),
    misshaped: misshaped.map(({ path }) => path),
    fresh,
    passedOver: passedOver(file, match),
    epsilon: epsilon ?? map.epsilon ?? BATCH_NORM_EPSILON,
    preprocess: preprocess ?? null,
  };
}

/** Tensors that are not this network's, those that are not read, and objects of other classes. */
function passedOver({ unread = new Map(), objects = new Map() }: TensorSource, match: Match): string {
  const missed = new Set(match.missing.map(({ expected }) => match.prefix + expected));
  const others = [...unread, ...objects]
    .filter(([place]) => !missed.has(place))
    .map(([place, what]) => `${plainName(place, 40)} (${plainName(what, 60)})`);
  return [
    summarizeNames(match.beside, theirLayers(match)),
    ...others.slice(0, 4),
    ...(others.length > 4 ? [`and ${others.length - 4} more objects`] : []),
  ]
    .filter((part) => part !== "")
    .join(", ");
}

const SAYS_WHO = {
  option: "as asked for",
  training: "of their training",
  weights: "which they were trained with",
  network: "the network's own",
} as const;

/** One line of what was found where. */
function summary({ source, map, prefix }: Match, { loaded, passedOver, preprocess }: WeightsReport): string {
  const parts = (map.parts ?? []).filter((path) => path !== "").join(" and ");
  const by = map === OWN_NAMES ? "our own names" : `the names of ${map.name}${parts && ` in ${parts}`}`;
  return [
    `${source.file}: ${loaded} parameters by ${by}`,
    ...(prefix === "" ? [] : [`found as ${plainName(prefix)}NAME`]),
    ...(passedOver === "" ? [] : [`passed over: ${passedOver}`]),
    preprocess === null
      ? "no preprocessing is known"
      : `preprocessing ${preprocess.name} (${SAYS_WHO[preprocess.from]})`,
  ].join("; ");
}

/** Where several state dicts fit, which one it is. */
function choiceWarnings({ source, prefix, alternatives }: Match, { stateDict }: LoadWeightsOptions): string[] {
  if (alternatives.length === 0 || stateDict !== undefined) return [];
  const name = (each: string): string => (each === "" ? "the names without a prefix (.)" : plainName(nameOf(each)));
  const others = alternatives.slice(0, 4).map(name).join(", ");
  const more = alternatives.length > 4 ? ", ..." : "";
  return [
    `${source.file}: has several state dicts that fit: taken is ${name(prefix)}, not ${others}${more} (--state-dict NAME takes another)`,
  ];
}

/** What a part was trained on is not what it is given here: that is a choice, but one to be known. */
function partWarnings(
  model: Model,
  { map, source }: Match,
  from: PreprocessOrigin,
  trained: ReadTrained | undefined,
): string[] {
  const { parts = [] } = map;
  const theirs =
    map.partTrainedWith ?? (trained && differs(trained.preprocess, model.preprocess) ? trained.preprocess : undefined);
  if (!theirs || from === "option" || from === "training" || !model.preprocess) return [];
  const describe = (preprocess: Preprocess): string => {
    const { color, range, mean } = normalizationOf(preprocess);
    return `${preprocess.name} (${color} up to ${range}, less ${mean.join(", ")})`;
  };
  return [
    `${source.file}: the weights of ${parts.join(" and ") || map.name} were trained with preprocessing ${describe(theirs)}; ` +
      `${model.name} has ${describe(model.preprocess)}`,
  ];
}

/** Whether pixels become other numbers. */
function differs(a: Preprocess, b: Preprocess | undefined): boolean {
  return b !== undefined && JSON.stringify(normalizationOf(a)) !== JSON.stringify(normalizationOf(b));
}

/** Files of other programs than Caffe itself may have no factor; Caffe then takes the statistics as 0, and so do we. */
function factorWarnings({ source, origins }: Match): string[] {
  const doubts = new Map<string, string>();
  for (const { doubt, tensors } of origins.values()) {
    const layer = tensors[0]!.replace(/\/\d+$/, "");
    const what = doubts.has(layer) ? undefined : doubt?.(...tensors.map((name) => source.read(name)));
    if (what !== undefined) doubts.set(layer, what);
  }
  const layers = [...doubts.keys()];
  if (layers.length === 0) return [];
  const named =
    layers
      .slice(0, 3)
      .map((layer) => plainName(layer))
      .join(", ") + (layers.length > 3 ? ", ..." : "");
  return [
    `${source.file}: ${layers.length === 1 ? "a BatchNorm" : `${layers.length} BatchNorms`} (${named}) ${layers.length === 1 ? "has" : "have"} ${[...doubts.values()][0]}: ` +
      "Caffe takes these statistics as 0, and so does this; a program that wrote them finished should have written 1",
  ];
}

function callWarnings({ file, calls = [] }: TensorSource): string[] {
  if (calls.length === 0) return [];
  return [
    `${file}: asks for ${calls.slice(0, 3).join(", ")}, which no weights need: nothing was run here; other programs would run it`,
  ];
}

/** No shape tells an epsilon: where a network's maps differ in it, the names decided. */
function epsilonNotes(model: Model, { map }: Match, { epsilon }: WeightsReport, options: LoadWeightsOptions): string[] {
  const possible = new Set(model.weightMaps.map((each) => each.epsilon ?? BATCH_NORM_EPSILON));
  if (options.epsilon !== undefined) return [`batch norms with an epsilon of ${epsilon}, as asked for`];
  if (map === OWN_NAMES || possible.size < 2) return [];
  const others = [...possible].filter((each) => each !== epsilon).join(" or ");
  return [
    `batch norms with an epsilon of ${epsilon}, as files of these names mostly have; the file does not say it, ` +
      `and for one trained with ${others} there is --epsilon ${others}`,
  ];
}
