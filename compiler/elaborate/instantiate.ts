/** Blocks, stages and networks: declarations made into layers. */
import type { Input, Stage, Use } from "../../grammar/ast.js";
import { formatShape, symbol, type Dim } from "../ir/dim.js";
import { value as makeValue } from "../ir/build.js";
import { operator } from "../ops/index.js";
import { explainMoved, hasParameter, open, stageNames, type Opened } from "./declarations.js";
import { dialectInForce, knowNetwork, noteFound } from "./detector.js";
import { draftScope, type DraftScope } from "./draft.js";
import { Environment } from "./environment.js";
import { describeNumber, evaluate, evaluateWhole, isWhole, wrongType } from "./evaluate.js";
import { isUnknown } from "./lists.js";
import { withObjects, withTargets } from "./losses.js";
import {
  inner,
  isSkipped,
  isTensor,
  requireDepth,
  setInput,
  takeStride,
  siteOf,
  withMembers,
  type NetworkState,
  type Context,
  type StageStride,
} from "./context.js";
import { fail, type Site } from "./site.js";
import {
  isList,
  isRecord,
  UNKNOWN,
  type DeclarationValue,
  type EvalValue,
  type PartValue,
  type TensorValue,
} from "./values.js";

/** `bottleneck(64)`: its layers, once. */
export function instantiateBlock(use: Use, block: DeclarationValue, context: Context): void {
  const { keyword, name } = block.declaration;
  const label = `${keyword} ${block.alias ?? name.text}`;
  const opened = enter(use, withStageStride(block, use, context), label, context);
  if (!opened) return;
  const scope = draftScope("block", block.alias ?? name.text, use.span, {
    declaration: opened.declaration.name.text,
    indexed: context.kind === "stage",
    label: use.label?.text,
  });
  const { tensor } = context.flow;
  if (isTensor(tensor)) scope.input = tensor.value;
  setInput(opened.environment, tensor ?? UNKNOWN, use.span);
  knowNetwork(opened.environment, name.text, use, context);
  context.scope.children.push(scope);
  // What it was given is not its own.
  const environment = new Environment(opened.environment);
  const inside: Context = {
    ...context,
    kind: "block",
    environment,
    chain: opened.chain,
    scope,
    stride: undefined,
    depth: context.depth + 1,
  };
  context.run(opened.body, inside);
  finish(scope, environment, context);
  noteFound(context.flow.tensor, use.span, context);
}

/** What the body gave is the scope's output; its labels are members of that. */
function finish(scope: DraftScope, environment: Environment, context: Context): void {
  const { flow } = context;
  if (!isTensor(flow.tensor)) return;
  scope.output = flow.tensor.value;
  flow.tensor = withMembers(flow.tensor, environment, context);
}

/** The block with the stage's stride, where that waits and the block has one that is not given. */
function withStageStride(block: DeclarationValue, use: Use, context: Context): DeclarationValue {
  if (!context.stride || context.stride.taken) return block;
  if (block.given.has("stride")) {
    context.stride.refused ??= explainMoved(block, "stride");
    return block;
  }
  if (!hasParameter(block, "stride", siteOf(context, use.span))) return block;
  const stride = takeStride(context, true);
  return stride === undefined ? block : { ...block, given: new Map([...block.given, ["stride", stride]]) };
}

interface Entered extends Opened {
  readonly chain: Context["chain"];
}

function enter(use: Use, value: DeclarationValue, label: string, context: Context): Entered | undefined {
  const note = explainMoved(value);
  const chain = [...context.chain, { label, span: use.span, ...(note === undefined ? {} : { note }) }];
  requireDepth(label, use, { ...context, chain });
  const opened = open(value, { ...siteOf(context, use.span), chain: context.chain });
  if (!opened) {
    context.flow.tensor = UNKNOWN;
    return undefined;
  }
  return { ...opened, chain };
}

/** A network, or some of its stages, as part of another: with its own parameters and shortcuts. */
export function inlineNetwork(use: Use, part: PartValue, context: Context): void {
  const { network } = part;
  const name = network.alias ?? network.declaration.name.text;
  const site = siteOf(context, use.span);
  if (part.from !== "") {
    const stages = stageNames(network, site);
    if (stages && stages.indexOf(part.from) > stages.indexOf(part.to)) {
      fail(site, "out-of-range", use.span, `stage ${part.from} comes after stage ${part.to} in ${name}`);
      context.flow.tensor = UNKNOWN;
      return;
    }
  }
  const opened = enter(use, network, `network ${name}`, context);
  if (!opened) return;
  const scope = draftScope("network", name, use.span, {
    declaration: opened.declaration.name.text,
    label: use.label?.text,
    transparent: true,
  });
  context.scope.children.push(scope);
  if (isTensor(context.flow.tensor)) scope.input = context.flow.tensor.value;
  const selection =
    part.from === "" ? undefined : { from: part.from, to: part.to, state: "before" as "before" | "inside" | "after" };
  const state = networkState(opened, { root: false, selection });
  context.run(opened.body, {
    ...context,
    kind: "network",
    environment: opened.environment,
    chain: opened.chain,
    scope,
    stride: undefined,
    network: state,
    depth: context.depth + 1,
  });
  context.builder.inside.push({ scope, maps: state.weights });
  finish(scope, opened.environment, context);
}

export function networkState(opened: Opened, options: Pick<NetworkState, "root" | "selection">): NetworkState {
  return {
    declaration: opened.declaration.name.text,
    detector: opened.declaration.keyword === "detector",
    environment: opened.environment,
    shortcut: undefined,
    preprocess: undefined,
    labels: undefined,
    weights: [],
    outputs: undefined,
    dialect: undefined,
    image: undefined,
    found: new Map(),
    hasInput: false,
    ...options,
  };
}

/** `stage conv3 /2 { ... }` */
export function runStage(stage: Stage, context: Context): void {
  const site = siteOf(context);
  if (context.kind !== "network") {
    fail(site, "misplaced-statement", stage.name.span, "a stage stands in a network, not in a block or another stage");
    return;
  }
  const { selection } = context.network;
  const name = stage.name.text;
  if (selection?.state === "before" && selection.from === name) selection.state = "inside";
  if (!isSkipped(context)) runStageBody(stage, context);
  if (selection?.state === "inside" && selection.to === name) selection.state = "after";
}

function runStageBody(stage: Stage, context: Context): void {
  const name = stage.name.text;
  const scope = draftScope("stage", name, stage.span, { label: name });
  context.scope.children.push(scope);
  if (context.flow.tensor === undefined) {
    const help = "begin with `input image 3x224x224`";
    fail(siteOf(context), "missing-input", stage.name.span, "the network has layers before its `input`", { help });
    context.flow.tensor = UNKNOWN;
  }
  const value = stage.stride ? evaluateWhole(stage.stride, siteOf(context), "a stage's stride", 1) : undefined;
  const stride: StageStride | undefined = value === undefined || value === 1 ? undefined : { value, taken: false };
  const start = context.flow.tensor;
  if (isTensor(start)) scope.input = start.value;
  const inside = inner(context, {
    kind: "stage",
    scope,
    stride,
    chain: [...context.chain, { label: `stage ${name}`, span: stage.name.span }],
  });
  if (start) setInput(inside.environment, start, stage.name.span);
  context.run(stage.body, inside);
  const end = context.flow.tensor;
  if (isTensor(end)) scope.output = end.value;
  if (stride && !stride.taken && stage.stride && isTensor(end)) {
    fail(siteOf(context), "unused-stride", stage.stride.span, `no layer or block of stage ${name} takes its stride`, {
      help:
        stride.refused ?? "the first block with a `stride` parameter, or the first convolution or pooling, takes it",
    });
  }
  // Known by name in the whole network, also where the stage stands in an `if`.
  context.network.environment.set(name, end ?? UNKNOWN, stage.name.span);
}

/** `input image 3x224x224` */
export function readInput(input: Input, context: Context): void {
  const site = siteOf(context);
  if (context.kind !== "network") {
    fail(site, "misplaced-statement", input.span, "`input` stands in a network's own body");
    return;
  }
  if (context.network.hasInput) {
    fail(site, "duplicate-name", input.span, "the network has an `input` already");
    return;
  }
  context.network.hasInput = true;
  const shape = inputShape(input, context);
  if (!context.network.root) {
    if (shape && !isSkipped(context)) checkChannels(input, shape, context);
    return;
  }
  if (!shape) {
    context.flow.tensor = UNKNOWN;
    return;
  }
  const value = makeValue({ dtype: "float32", shape: [symbol("N"), ...shape] }, input.name.text);
  context.builder.inputs.push({ name: input.name.text, value });
  const image: TensorValue = { kind: "tensor", value, scale: [1, 1] };
  context.scope.input = value;
  context.network.image = context.network.detector
    ? withObjects(readImages(image, input, context), context.builder)
    : withTargets(image, context.builder);
  context.flow.tensor = context.network.image;
  if (context.network.detector) {
    context.environment.define("dialect", {
      span: input.span,
      get: () => dialectInForce("the detector", input, context),
    });
  }
  context.environment.set(input.name.text, context.flow.tensor, input.name.span);
  setInput(context.environment, context.flow.tensor, input.span);
}

/** A detector's second input: what is known of its images, by row of the batch (docs/detection.md). */
function readImages(image: TensorValue, input: Input, { builder, scope, chain }: Context): TensorValue {
  const given = makeValue({ dtype: "float32", shape: [symbol("M"), 6] }, "image_info");
  builder.inputs.push({ name: "image_info", value: given });
  const node = builder.append(operator("image_info"), [image.value, given], {}, { span: input.span, chain });
  scope.children.push(node);
  return { ...image, members: new Map([["info", { kind: "tensor", value: node.outputs[0]!, scale: [1, 1] }]]) };
}

function inputShape(input: Input, context: Context): Dim[] | undefined {
  const site = siteOf(context);
  // In a list, capitals that nothing declares are symbols, as in `3xHxW`.
  const read = (): EvalValue => {
    const { inputShape: chosen } = context.builder;
    if (context.network.root && chosen) {
      return chosen.map((size) => (typeof size === "number" ? size : { kind: "symbol", name: size }));
    }
    if (input.shape.kind !== "list") return evaluate(input.shape, site);
    return input.shape.elements.map((element) =>
      element.kind === "name" && /^[A-Z]/.test(element.text) && !context.environment.lookup(element.text)
        ? { kind: "symbol", name: element.text }
        : evaluate(element, site),
    );
  };
  const sizes = read();
  if (isUnknown(sizes)) return undefined;
  if (!isList(sizes) || sizes.length !== 3) {
    fail(site, "wrong-type", input.shape.span, "an input is channels, height and width, such as `3x224x224`");
    return undefined;
  }
  const shape: Dim[] = [];
  for (const [axis, size] of sizes.entries()) {
    if (isRecord(size, "symbol") && axis > 0 && size.name !== "N") shape.push(symbol(size.name));
    else if (isWhole(size) && size >= 1) shape.push(size);
    else if (typeof size === "number") {
      fail(site, "out-of-range", input.shape.span, `an input's sizes are whole numbers from 1, not ${size}`);
      return undefined;
    } else {
      const what =
        axis === 0 ? "the number of channels must be a number" : "a size must be a number or a symbol other than N";
      wrongType(what, size, input.shape.span, site);
      return undefined;
    }
  }
  if (context.network.root && !context.builder.inputShape) warnOfChannelsLast(input, shape, site);
  return shape;
}

/** `224x224x3`, as images are stored. */
function warnOfChannelsLast(input: Input, shape: readonly Dim[], site: Site): void {
  const [first, second, last] = shape;
  if ((last !== 1 && last !== 3 && last !== 4) || first !== second || first === last) return;
  const read = shape.map(String);
  fail(
    site,
    "probable-slip",
    input.shape.span,
    `the input is read as ${read[0]!} channels of ${read[1]!}x${read[2]!}`,
    {
      help: `channels come first: \`${read[2]!}x${read[0]!}x${read[1]!}\``,
    },
  );
}

/** A network used in another: what flows there must have the channels that it declares. */
function checkChannels(input: Input, shape: readonly Dim[], context: Context): void {
  const { tensor } = context.flow;
  if (!isTensor(tensor)) return;
  const [, channels] = tensor.value.type.shape;
  if (channels === shape[0]) return;
  const message = `${context.network.declaration} takes ${describeNumber(shape[0] as number)} channels, but ${formatShape(tensor.value.type.shape)} arrives`;
  fail(siteOf(context), "shape-mismatch", context.chain.at(-1)?.span ?? input.span, message, {
    notes: [{ message: "its input", span: input.span }],
  });
  context.flow.tensor = UNKNOWN;
}
