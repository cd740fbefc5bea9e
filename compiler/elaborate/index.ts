/** From a network's or detector's declaration to a {@link Model}: its graph, its structure and what it says of itself. */
import type { Span } from "../../grammar/ast.js";
import type { Reporter } from "../diagnostics/reporter.js";
import { operator } from "../ops/index.js";
import { formatShape } from "../ir/dim.js";
import type * as ir from "../ir/types.js";
import type { Model, ObjectRules, Preprocess, WeightMap } from "../model.js";
import { channelProblem, fitted, type Fitted } from "../preprocess.js";
import { open } from "./declarations.js";
import { detectionsOf, MASKS, refuseLost } from "./detector.js";
import { readDialect } from "./dialect.js";
import { draftScope } from "./draft.js";
import { runBody } from "./flow.js";
import { checkLosses, pathOf, takeLosses } from "./losses.js";
import { networkState } from "./instantiate.js";
import { assignPaths } from "./naming.js";
import { isTensor, type Flow, type NetworkState } from "./context.js";
import { Abandoned, Exhausted } from "../budget.js";
import { GraphBuilder } from "./graph-builder.js";
import { readPreprocess } from "./preprocess.js";
import { fail, type Site } from "./site.js";
import type { Trace } from "./trace.js";
import { readWeightMap } from "./weight-map.js";
import { mapsInside } from "./weight-maps-inside.js";
import { isRecord, type DeclarationValue } from "./values.js";

/** How a network is made. */
export interface NetworkOptions {
  /** Replaces the size that its `input` declares. */
  readonly input?: readonly (number | string)[] | undefined;
  /** Keeps what each statement gave, also where there are errors. */
  readonly trace?: Trace | undefined;
}

/**
 * Undefined where there are errors; they are reported, as many as there are.
 *
 * @throws Exhausted where the budget is used up, which is reported too
 */
export function elaborateNetwork(
  network: DeclarationValue,
  reporter: Reporter,
  sources: () => ReadonlyMap<string, string>,
  { input: inputShape, trace }: NetworkOptions = {},
): Model | undefined {
  const builder = new GraphBuilder(reporter, inputShape, trace);
  const name = network.alias ?? network.declaration.name.text;
  const { span } = network.declaration.name;
  const errorsBefore = reporter.failures;
  const { depth } = reporter.budget;
  try {
    const site: Site = { reporter, environment: network.environment, chain: [], at: span };
    const opened = open(network, site);
    if (!opened) return undefined;
    const scope = draftScope("network", name, span, { declaration: opened.declaration.name.text });
    const state = networkState(opened, { root: true, selection: undefined });
    const flow: Flow = { tensor: undefined };
    const chain = [{ label: `${opened.declaration.keyword} ${name}`, span }];
    runBody(opened.body, {
      kind: "network",
      builder,
      environment: opened.environment,
      chain,
      scope,
      network: state,
      flow,
      stride: undefined,
      depth: 0,
    });
    const here: Site = { reporter, environment: opened.environment, chain };
    if (reporter.failures === errorsBefore) checkComplete(state, builder, flow, opened.declaration.name.span, here);
    const pay = (length: number): void => reporter.budget.spend(length / 64, span, chain);
    assignPaths(scope, pay);
    if (isTensor(flow.tensor)) scope.output = flow.tensor.value;
    const outputs = statedOutputs(state, flow) ?? defaultOutputs(flow, builder);
    const losses = takeLosses(builder, scope, outputs ?? []);
    // What is left has the names that it has without them.
    if (losses) assignPaths(scope, pay);
    const isClean = reporter.errorCount === errorsBefore;
    const boxes = state.detector && isClean ? boxEnds(state, opened.declaration.name.span, here) : undefined;
    const masks = boxes !== undefined && hasMasks(flow, opened.declaration.name.span, here);
    if (outputs && isClean) refuseLost(state.found, outputs, builder.nodes, here);
    const { preprocess: declared, weightMaps, labels } = readDescriptions(state, builder, here);
    const { preprocess, assumed } = fitPreprocess(declared, builder, inputShape !== undefined, here);
    checkLabels(labels, outputs, state, here);
    checkLosses(builder, losses, outputs ?? [], here);
    checkNames(builder.inputs, outputs ?? [], opened.declaration.name.span, here);
    if (reporter.failures > errorsBefore || !outputs) return undefined;
    return {
      name,
      graph: {
        name,
        inputs: builder.inputs,
        outputs,
        parameters: builder.parameters,
        constants: [],
        nodes: builder.nodes,
      },
      root: scope,
      weightMaps,
      sources: sources(),
      ...(preprocess ? { preprocess } : {}),
      ...(assumed === undefined ? {} : { assumed: [`${name}: ${assumed}`] }),
      ...(labels ? { labels } : {}),
      ...(losses && { losses }),
      ...(builder.passedOverLosses.length > 0 && { passedOverLosses: builder.passedOverLosses.map(pathOf) }),
      ...(boxes && { detection: { boxes, ...(masks && { masks }), ...objectRules(state, here) } }),
    };
  } catch (error) {
    if (error instanceof Exhausted || !(error instanceof Abandoned)) throw error;
    reporter.budget.returnTo(depth);
    return undefined;
  }
}

function checkComplete(state: NetworkState, builder: GraphBuilder, flow: Flow, span: Span, site: Site): void {
  const what = `${state.detector ? "detector" : "network"} ${state.declaration}`;
  if (!state.hasInput) {
    fail(site, "missing-input", span, `${what} has no \`input\``, {
      help: "begin its body with `input image 3x224x224`",
    });
  } else if (builder.nodes.length === (state.detector ? 1 : 0) && isTensor(flow.tensor)) {
    fail(site, "empty-network", span, `${what} has no layers`);
  } else if (state.detector && isTensor(flow.tensor) && !detectionsOf(flow.tensor)) {
    fail(site, "missing-detect", span, `${what} detects nothing`, {
      help: "end its body with `detect(regions, scores, deltas, nms: 0.5, keep: 100)` (std/detection)",
    });
  }
}

/** What a detector detects, then what `output` names. */
function statedOutputs(state: NetworkState, flow: Flow): ir.NamedValue[] | undefined {
  const stated = [...((state.detector && detectionsOf(flow.tensor)) || []), ...(state.outputs ?? [])];
  return stated.length === 0 ? undefined : stated;
}

/** Whether what is found has masks, [D, h, w]. */
function hasMasks(flow: Flow, span: Span, site: Site): boolean {
  const masks = detectionsOf(flow.tensor)?.find(({ name }) => name === MASKS);
  if (!masks) return false;
  const { shape } = masks.value.type;
  if (shape.length === 3) return true;
  const message = `a detector's masks are [D, height, width], a row for each box, not ${formatShape(shape)}`;
  fail(site, "invalid-shape", span, message, { help: "`with_masks` (std/detection) makes them" });
  return false;
}

/** Where boxes end, which their reader has to know. */
function boxEnds({ dialect }: NetworkState, span: Span, site: Site): "inclusive" | "exclusive" | undefined {
  if (!dialect) {
    const help = "write `dialect detectron2` (std/dialects) in its body";
    fail(site, "missing-argument", span, "a detector needs a dialect", { help });
    return undefined;
  }
  const rule = readDialect(dialect, site)?.members.get("boxes");
  const edges = rule !== undefined && isRecord(rule, "record") ? rule.members.get("edges") : undefined;
  return edges === "inclusive" || edges === "exclusive" ? edges : undefined;
}

/** What is learned of objects, where the dialect says so. */
function objectRules({ dialect }: NetworkState, site: Site): { readonly objects?: ObjectRules } {
  const rule = dialect && readDialect(dialect, site)?.members.get("objects");
  if (rule === undefined || !isRecord(rule, "record")) return {};
  return { objects: Object.fromEntries(rule.members) as unknown as ObjectRules };
}

/** The end of the flow; where that is a softmax, what went into it too. */
function defaultOutputs(flow: Flow, builder: GraphBuilder): ir.NamedValue[] | undefined {
  if (!isTensor(flow.tensor)) return undefined;
  const { value } = flow.tensor;
  const last = builder.nodes.findLast((node) => node.outputs.includes(value));
  const names = last && operator(last.op).endsNetwork;
  const [given] = last?.inputs ?? [];
  if (!names || !given) return [{ name: "output", value }];
  return [
    { name: names.output, value },
    { name: names.input, value: given },
  ];
}

interface Descriptions {
  readonly preprocess: Preprocess | undefined;
  readonly weightMaps: readonly WeightMap[];
  readonly labels: readonly string[] | undefined;
}

function readDescriptions(state: NetworkState, builder: GraphBuilder, site: Site): Descriptions {
  const preprocess = state.preprocess && readPreprocess(state.preprocess, site);
  const own = state.weights.map((map) => readWeightMap(map, site)).filter((map) => map !== undefined);
  return {
    preprocess,
    weightMaps: [...own, ...mapsInside(builder.inside, own, preprocess, site)],
    labels: state.labels,
  };
}

/**
 * The image that the preprocessing gives is the one that `input` takes. Where another input was asked for than the source
 * declares, the preprocessing follows.
 */
function fitPreprocess(
  declared: Preprocess | undefined,
  { inputs }: GraphBuilder,
  isAsked: boolean,
  site: Site,
): Partial<Fitted> {
  const channels = inputs[0]?.value.type.shape[1];
  if (!declared || typeof channels !== "number") return declared ? { preprocess: declared } : {};
  const fit = isAsked ? fitted(declared, channels) : { preprocess: declared };
  const problem = channelProblem(channels, fit.preprocess);
  const span = site.chain.at(-1)?.span;
  if (problem !== undefined && span) {
    fail(site, "channel-mismatch", span, problem, {
      help:
        channels === 1
          ? "declare a preprocess with `normalize(color: grey)`"
          : "`input image 3x224x224` takes colour images",
    });
  }
  return fit;
}

/** In an ONNX file inputs and outputs are told apart by their names alone. */
function checkNames(inputs: readonly ir.NamedValue[], outputs: readonly ir.NamedValue[], span: Span, site: Site): void {
  const names = new Map<string, ir.Value>();
  for (const { name, value } of outputs) {
    if (names.has(name) && names.get(name) !== value) {
      fail(site, "duplicate-name", span, `two outputs are called \`${name}\``, {
        help: "label one of them differently: `other = r.left`, then `output other`",
      });
    }
    names.set(name, value);
  }
  for (const { name, value } of inputs) {
    if (!outputs.some((output) => output.name === name && output.value !== value)) continue;
    fail(site, "duplicate-name", span, `the input and an output are both called \`${name}\``, {
      help: "call the input `image`",
    });
  }
}

/** A classifier's labels are as many as its classes. */
function checkLabels(
  labels: readonly string[] | undefined,
  outputs: readonly ir.NamedValue[] | undefined,
  state: NetworkState,
  site: Site,
): void {
  const classes = outputs?.[0]?.value.type.shape[1];
  if (!labels || state.detector || typeof classes !== "number" || classes === labels.length) return;
  // One sigmoid tells two classes apart.
  if (classes === 1 && labels.length === 2) return;
  const span = site.chain.at(-1)?.span;
  if (!span || state.outputs) return;
  fail(site, "out-of-range", span, `there are ${labels.length} labels for ${classes} classes`);
}
