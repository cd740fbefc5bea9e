/** Loss statements: what training makes small, beside what flows and beside the graph that is used afterwards. */
import type { Use } from "../../grammar/ast.js";
import { value as makeValue } from "../ir/build.js";
import { formatShape, symbol, type Dim } from "../ir/dim.js";
import type * as ir from "../ir/types.js";
import type { Losses } from "../model.js";
import { completeAttributes } from "../ops/attributes.js";
import { ShapeError, type Operator } from "../ops/operator.js";
import { flatShape } from "../ops/losses/loss.js";
import { bind } from "./bind.js";
import { isDraftScope, type DraftLoss, type DraftNode, type DraftScope } from "./draft.js";
import { splitArguments } from "./layer-arguments.js";
import { nameNode, numbering } from "./naming.js";
import { isTensor, siteOf, type Context } from "./context.js";
import type { GraphBuilder } from "./graph-builder.js";
import { fail, type Site } from "./site.js";
import type { EvalValue, LayerArguments, TensorValue } from "./values.js";

/** How many classes there are: known where training begins. No source can write it. */
export const CLASSES = symbol("classes");

/** How many objects the image of a batch has that has the most: known when a step is made. */
export const OBJECTS = symbol("objects");

/** How many cells each side of the objects' masks has in a batch: known when a step is made. */
export const CELLS = symbol("cells");
/** How many regions the image of a batch has that has the most, where they are kept from an earlier phase of the training. */
export const PROPOSALS = symbol("proposals");

/** The network's image with the members that training data fill. */
export function withTargets(image: TensorValue, builder: GraphBuilder): TensorValue {
  const labels = makeValue({ dtype: "float32", shape: [symbol("N"), CLASSES] }, "labels");
  builder.targets.push({ name: "labels", value: labels });
  return { ...image, members: new Map([["labels", { kind: "tensor", value: labels, scale: [1, 1] }]]) };
}

/**
 * A detector's image with what training data say of it, `objects`: `boxes` [N, G, 4] in pixels of the input (x2 and y2 behind
 * the last pixel), the class numbers `labels` [N, G], and `present` [N, G], 1 for the rows that are objects; G is open, the
 * number of the image with the most. `masks` [N, G, cells, cells] have of each object how much of a cell is of it, and `frames`
 * [N, G, 4] where these cells lie, corners in pixels: cells are pixels, or larger. And `proposals`, the regions that are kept of
 * it from an earlier phase of the training, where its recipe has one: `boxes` [N, P, 4] and `present` [N, P] in the same way.
 */
export function withObjects(image: TensorValue, builder: GraphBuilder): TensorValue {
  const [objects, proposals] = [OBJECTS, PROPOSALS].map((count) => [symbol("N"), count]) as [Dim[], Dim[]];
  const known = {
    objects: {
      ...{ boxes: [...objects, 4], labels: objects, present: objects },
      ...{ masks: [...objects, CELLS, CELLS], frames: [...objects, 4] },
    },
    proposals: { boxes: [...proposals, 4], present: proposals },
  };
  const members = Object.entries(known).map(([what, shapes]) => [what, rowsOf(what, shapes, builder)] as const);
  return { ...image, members: new Map([...(image.members ?? []), ...members]) };
}

/** `boxes` of `objects` is the target `objects.boxes`. */
function rowsOf(what: string, shapes: Readonly<Record<string, readonly Dim[]>>, builder: GraphBuilder): EvalValue {
  const members = Object.entries(shapes).map(([name, shape]) => {
    const made = makeValue({ dtype: "float32", shape }, `${what}.${name}`);
    builder.targets.push({ name: made.name, value: made });
    return [name, { kind: "tensor", value: made, scale: [1, 1] } satisfies EvalValue] as const;
  });
  return { kind: "record", of: `the ${what} of an image`, members: new Map(members) };
}

/**
 * `aux = cross_entropy image.labels, weight: 0.3 on logits`. Those of a network that is part of another are not the other's:
 * like its settings they are passed over.
 */
export function applyLoss(use: Use, definition: Operator, context: Context, before: LayerArguments): void {
  const site = siteOf(context);
  const { builder, network, scope, chain } = context;
  if (use.bodies.length > 0) {
    fail(site, "unexpected-body", use.bodies[0]?.span ?? use.span, `\`${definition.name}\` takes no braces`);
  }
  if (!network.root) {
    builder.passedOverLosses.push({ scope, base: use.label?.text ?? definition.name });
    return;
  }
  const schema = definition.layer!.arguments;
  const given = bind(`\`${definition.name}\``, schema, use.arguments, use.span, site, before);
  const { tensor } = context.flow;
  if (!given || !isTensor(tensor)) return;
  if (given["mask"] !== undefined && given["count"] === undefined) {
    const help = "`total` gives the sum of a mask: `count: total on mask`";
    return void fail(site, "missing-argument", use.span, `the \`mask\` of \`${definition.name}\` needs a \`count\``, {
      help,
    });
  }
  const { tensors, attributes } = splitArguments(schema, given);
  const inputs = [tensor, ...tensors].map(({ value }) => value);
  try {
    const node = builder.append(definition, inputs, completeAttributes(definition, attributes), {
      span: use.span,
      chain,
    });
    builder.losses.push({ node, scope, base: use.label?.text ?? definition.name, use, chain });
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    fail(site, "invalid-shape", use.span, error.message, { help: error.help });
  }
}

/**
 * Takes what is there for training alone out of the graph: losses, layers that something of the targets goes into, and layers
 * without parameters that only go into those. Undefined where there is no loss. What is left has the paths that it has without.
 */
export function takeLosses(
  builder: GraphBuilder,
  root: DraftScope,
  outputs: readonly ir.NamedValue[],
): Losses | undefined {
  const { losses, targets, nodes } = builder;
  if (losses.length === 0 && targets.length === 0) return undefined;
  const taken = trainingOnly(builder, new Set(outputs.map(({ value }) => value)));
  if (taken.size === 0) return undefined;
  const ordered = nodes.filter((node) => taken.has(node));
  const kept = nodes.filter((node) => !taken.has(node));
  nodes.splice(0, nodes.length, ...kept);
  prune(root, taken);
  for (const node of ordered) nameInTraining(node);
  nameLosses(losses);
  return {
    targets: targets.filter(({ value }) => ordered.some(({ inputs }) => inputs.includes(value))),
    nodes: ordered,
    each: losses.map(({ node }) => ({
      name: node.path,
      weight: node.attributes["weight"] as number,
      value: node.outputs[0]!,
    })),
  };
}

function trainingOnly(
  { losses, targets, nodes }: GraphBuilder,
  outputs: ReadonlySet<ir.Value>,
): ReadonlySet<DraftNode> {
  const known = new Set(targets.map(({ value }) => value));
  const own = new Set(losses.map(({ node }) => node));
  const taken = new Set<DraftNode>();
  for (const node of nodes) {
    if (!own.has(node) && !node.inputs.some((input) => known.has(input))) continue;
    taken.add(node);
    for (const output of node.outputs) known.add(output);
  }
  if (taken.size === 0) return taken;
  // Values that something else needs, or that nothing does: those are told elsewhere.
  const uses = new Map<ir.Value, DraftNode[]>();
  for (const node of nodes) for (const input of node.inputs) uses.set(input, [...(uses.get(input) ?? []), node]);
  for (const node of nodes.toReversed()) {
    if (taken.has(node) || node.ownParameters.length > 0) continue;
    const users = node.outputs.flatMap((output) => uses.get(output) ?? []);
    const isKept = node.outputs.some((output) => outputs.has(output));
    if (!isKept && users.length > 0 && users.every((user) => taken.has(user))) taken.add(node);
  }
  return taken;
}

/** Scopes that are left empty go too. */
function prune(scope: DraftScope, taken: ReadonlySet<DraftNode>): void {
  const isLeft = (child: DraftScope | DraftNode): boolean => {
    if (!isDraftScope(child)) return !taken.has(child);
    const before = child.children.length + child.sharedParts.length;
    prune(child, taken);
    return before === 0 || child.children.length + child.sharedParts.length > 0;
  };
  scope.children = scope.children.filter(isLeft);
  scope.sharedParts = scope.sharedParts.filter(isLeft);
}

/** Beside what is kept: a path of its own, which nothing else has. */
function nameInTraining(node: DraftNode): void {
  node.path = `training.${node.path}`;
  for (const output of node.outputs) (output as { name: string }).name = `training.${output.name}`;
}

/** Known when the scopes have their paths. */
export function pathOf({ scope: { path }, base }: Pick<DraftLoss, "scope" | "base">): string {
  return path === "" ? base : `${path}.${base}`;
}

/** By their own count, so that no layer is called otherwise for a loss. */
function nameLosses(losses: readonly DraftLoss[]): void {
  const numbered = numbering(losses.map(pathOf));
  for (const loss of losses) nameNode(loss.node, numbered(pathOf(loss)));
}

/** What a network gives is known without training data, and what is compared with labels has as many classes as it has. */
export function checkLosses(
  { losses: drafts, targets }: GraphBuilder,
  losses: Losses | undefined,
  outputs: readonly ir.NamedValue[],
  site: Site,
): void {
  const trained = new Set([
    ...targets.map(({ value }) => value),
    ...(losses?.nodes ?? []).flatMap((node) => node.outputs),
  ]);
  const span = site.chain.at(-1)?.span;
  const known = outputs.find(({ value }) => trained.has(value));
  if (known && span) {
    fail(
      site,
      "misplaced-statement",
      span,
      `its output ${known.name} comes of the image's labels, which training alone knows`,
    );
  }
  const classes = outputs[0]?.value.type.shape[1];
  if (typeof classes !== "number" || !targets.some(({ name }) => name === "labels")) return;
  for (const { node, use, chain } of drafts) {
    const [predictions, target] = node.inputs;
    if (!targets.some(({ value }) => value === target)) continue;
    const { shape } = predictions!.type;
    if (flatShape(shape).length === 2 && shape[1] === classes) continue;
    const message = `\`${node.op}\` compares ${formatShape(shape)} with the labels of the network's ${classes} classes`;
    fail({ ...site, chain }, "invalid-shape", use.span, message, {
      help: `end what it is given with \`fc ${classes}\`: a number for each class`,
    });
  }
}
