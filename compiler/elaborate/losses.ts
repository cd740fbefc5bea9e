/** Loss statements: what training makes small, beside what flows and beside the graph that is used afterwards. */
import type { Use } from "../../grammar/ast.js";
import { value as makeValue } from "../ir/build.js";
import { formatShape, symbol } from "../ir/dim.js";
import type * as ir from "../ir/types.js";
import type { Losses } from "../model.js";
import { completeAttributes } from "../ops/attributes.js";
import { ShapeError, type Operator } from "../ops/operator.js";
import { flatShape } from "../ops/losses/loss.js";
import { bind } from "./bind.js";
import { isDraftScope, type DraftLoss, type DraftScope } from "./draft.js";
import { splitArguments } from "./layer-arguments.js";
import { nameNode, numbering } from "./naming.js";
import { isTensor, siteOf, type Context } from "./context.js";
import type { GraphBuilder } from "./graph-builder.js";
import { fail, type Site } from "./site.js";
import type { LayerArguments, TensorValue } from "./values.js";

/** How many classes there are: known where training begins. No source can write it. */
export const CLASSES = symbol("classes");

/** The network's image with the members that training data fill. */
export function withTargets(image: TensorValue, builder: GraphBuilder): TensorValue {
  const labels = makeValue({ dtype: "float32", shape: [symbol("N"), CLASSES] }, "labels");
  builder.targets.push({ name: "labels", value: labels });
  return { ...image, members: new Map([["labels", { kind: "tensor", value: labels, scale: [1, 1] }]]) };
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
  if (network.detector) {
    const help = "train the network that it is built on, with its own losses";
    fail(site, "misplaced-statement", use.span, "a detector's training data are not known here: it takes no losses", {
      help,
    });
    return;
  }
  const schema = definition.layer!.arguments;
  const given = bind(`\`${definition.name}\``, schema, use.arguments, use.span, site, before);
  const { tensor } = context.flow;
  if (!given || !isTensor(tensor)) return;
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
 * Takes what is there for training alone out of the graph: losses, and layers that something of the targets goes into.
 * Undefined where there is no loss.
 */
export function takeLosses(builder: GraphBuilder, root: DraftScope): Losses | undefined {
  const { losses, targets, nodes } = builder;
  if (losses.length === 0 && targets.length === 0) return undefined;
  const known = new Set(targets.map(({ value }) => value.id));
  const own = new Set(losses.map(({ node }) => node));
  const taken = new Set<ir.Node>();
  for (const node of nodes) {
    if (!own.has(node) && !node.inputs.some(({ id }) => known.has(id))) continue;
    taken.add(node);
    for (const { id } of node.outputs) known.add(id);
  }
  if (taken.size === 0) return undefined;
  const kept = nodes.filter((node) => !taken.has(node));
  nodes.splice(0, nodes.length, ...kept);
  prune(root, taken);
  nameLosses(losses);
  return {
    targets: targets.filter(({ value }) => [...taken].some(({ inputs }) => inputs.includes(value))),
    nodes: [...taken],
    each: losses.map(({ node }) => ({
      name: node.path,
      weight: node.attributes["weight"] as number,
      value: node.outputs[0]!,
    })),
  };
}

function prune(scope: DraftScope, taken: ReadonlySet<ir.Node>): void {
  scope.children = scope.children.filter((child) => isDraftScope(child) || !taken.has(child));
  for (const child of scope.children) if (isDraftScope(child)) prune(child, taken);
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
  if (typeof classes !== "number") return;
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
