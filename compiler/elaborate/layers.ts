/** Layers: operators applied to the tensor that flows, merges of branches, and residuals with their shortcut. */
import type { Body, Use } from "../../grammar/ast.js";
import { formatShape } from "../ir/dim.js";
import { operator } from "../ops/index.js";
import { completeAttributes } from "../ops/attributes.js";
import { ShapeError, TooLargeError, type Operator } from "../ops/operator.js";
import type * as ir from "../ir/types.js";
import { bind } from "./bind.js";
import { open } from "./declarations.js";
import { declaration } from "./declared.js";
import { draftScope, type DraftNode, type DraftScope } from "./draft.js";
import { inner, isTensor, requireDepth, setInput, siteOf, takeStride, type Flow, type Context } from "./context.js";
import { fail } from "./site.js";
import { isOneTensor, splitArguments } from "./layer-arguments.js";
import type { Tensor } from "../words/schema.js";
import { UNKNOWN, type DeclarationValue, type EvalValue, type LayerArguments, type TensorValue } from "./values.js";

/** Applies `conv 3x3, 64`, `relu`, ... to what flows. */
export function applyLayer(use: Use, definition: Operator, context: Context, before: LayerArguments): void {
  const schema = definition.layer?.arguments ?? {};
  const site = siteOf(context);
  if (use.bodies.length > 0) {
    fail(site, "unexpected-body", use.bodies[0]?.span ?? use.span, `\`${definition.name}\` takes no braces`);
  }
  const given = bind(`\`${definition.name}\``, schema, use.arguments, use.span, site, before);
  const { tensor } = context.flow;
  const stride = takeStride(context, "stride" in schema && given?.["stride"] === undefined);
  context.flow.tensor = UNKNOWN;
  if (!given || !isTensor(tensor)) return;
  const { strideOf, byStride, flow = "first" } = definition.layer ?? {};
  const { tensors, attributes } = splitArguments(schema, given);
  if (stride !== undefined) attributes["stride"] = [stride, stride];
  const inputs = { first: [tensor, ...tensors], last: [...tensors, tensor], none: tensors }[flow];
  const following = byStride && inputs[0] ? byStride(inputs[0].scale) : {};
  const made = appendNode(
    use,
    definition,
    inputs,
    completeAttributes(definition, { ...following, ...attributes }),
    context,
  );
  const like = strideOf === undefined ? undefined : given[strideOf];
  if (made) context.flow.tensor = isOneTensor(like) ? { ...made, scale: like.scale } : made;
}

/** Adds the node to the graph and to its scope; undefined after a shape error, which is reported. */
function appendNode(
  use: Use,
  definition: Operator,
  inputs: readonly Tensor[],
  attributes: ir.Attributes,
  context: Context,
): TensorValue | undefined {
  let node: DraftNode;
  try {
    const values = inputs.map((input) => input.value);
    node = context.builder.append(definition, values, attributes, { span: use.span, chain: context.chain });
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    const misfit = definition.layer?.merges ? "shape-mismatch" : "invalid-shape";
    const code = error instanceof TooLargeError ? "too-large" : misfit;
    fail(siteOf(context), code, use.span, error.message, { help: error.help });
    return undefined;
  }
  if (use.label && use.bodies.length === 0) node.label = use.label.text;
  context.scope.children.push(node);
  const [output] = node.outputs;
  const [first] = inputs;
  if (!output || !first) return undefined;
  const [down, across] = definition.scale?.(attributes) ?? [1, 1];
  const scale = [first.scale[0] * down, first.scale[1] * across] as const;
  const residuals = Math.max(...inputs.map((input: TensorValue) => input.residuals ?? 0));
  const tensorOf = (value: ir.Value): TensorValue => ({ kind: "tensor", value, scale, residuals });
  const { outputs: names } = definition.layer ?? {};
  if (!names) return tensorOf(output);
  const members = names.map((name, index): readonly [string, EvalValue] =>
    name.startsWith("...")
      ? [name.slice(3), node.outputs.slice(index).map(tensorOf)]
      : [name, tensorOf(node.outputs[index]!)],
  );
  return { ...tensorOf(output), members: new Map(members) };
}

/** Runs braces from a given tensor; gives what comes out. */
function runBranch(body: Body, from: TensorValue, context: Context, scope: DraftScope): Flow {
  const flow: Flow = { tensor: from };
  context.builder.reporter.budget.spend(4, body.span, context.chain);
  const branch = inner(context, { flow, scope, kind: context.kind === "network" ? "stage" : context.kind });
  setInput(branch.environment, from, body.span);
  context.run(body, branch);
  scope.input = from.value;
  if (isTensor(flow.tensor)) scope.output = flow.tensor.value;
  return flow;
}

/** `add { ... } { ... }`: every branch begins with what flows. */
export function applyMerge(use: Use, definition: Operator, context: Context, before: LayerArguments): void {
  const site = siteOf(context);
  const schema = definition.layer?.arguments ?? {};
  if (use.bodies.length < 2) {
    // `concat(a, b)`: the branches, as arguments.
    const branches = use.arguments.map(({ name, value }) => (!name && value.kind === "name" ? value.text : "..."));
    const [first = "identity", second = "..."] = branches;
    const help = `write \`${definition.name} { ${first} } { ${second} }\``;
    fail(site, "missing-body", use.span, `\`${definition.name}\` needs two or more branches in braces`, { help });
    context.flow.tensor = UNKNOWN;
    return;
  }
  const given = bind(`\`${definition.name}\``, schema, use.arguments, use.span, site, before);
  const { tensor } = context.flow;
  if (!isTensor(tensor)) return;
  const group = draftScope("group", definition.name, use.span, { transparent: true, label: use.label?.text });
  context.scope.children.push(group);
  const results = use.bodies.map((body) => {
    const scope = draftScope("branch", "branch", body.span, { transparent: true });
    group.children.push(scope);
    return runBranch(body, tensor, context, scope).tensor;
  });
  context.flow.tensor = UNKNOWN;
  if (!given || !results.every(isTensor)) return;
  const attributes = completeAttributes(definition, splitArguments(schema, given).attributes);
  const merged = appendNode(use, definition, results, attributes, { ...context, scope: group });
  group.input = tensor.value;
  if (!merged) return;
  group.output = merged.value;
  context.flow.tensor = merged;
}

/** What `residual` takes. */
export const RESIDUAL_ARGUMENTS = {
  shortcut: declaration("In place of the network's.", "shortcut", { optional: true }),
};

/** `residual { ... }`: y = F(x) + shortcut(x), the paper's equations (1) and (2). */
export function applyResidual(use: Use, context: Context, before: LayerArguments): void {
  const site = siteOf(context);
  const given = bind("`residual`", RESIDUAL_ARGUMENTS, use.arguments, use.span, site, before);
  const [body] = use.bodies;
  if (!body || use.bodies.length > 1) {
    fail(site, "missing-body", use.span, "`residual` needs its layers in one pair of braces");
    context.flow.tensor = UNKNOWN;
    return;
  }
  const { tensor } = context.flow;
  if (!isTensor(tensor)) return;
  const scope = draftScope("residual", "residual", use.span, { transparent: true, label: use.label?.text });
  context.scope.children.push(scope);
  const branchScope = draftScope("branch", "branch", body.span, { transparent: true });
  scope.children.push(branchScope);
  const branch = runBranch(body, tensor, context, branchScope).tensor;
  context.flow.tensor = UNKNOWN;
  if (!isTensor(branch) || !given) return;

  const kind = given.shortcut ?? context.network.shortcut;
  const shortcut = runShortcut(use, kind, tensor, branch, { ...context, scope });
  if (shortcut === undefined) return;
  const sum = shortcut === "nothing" ? branch : addShortcut(use, tensor, branch, shortcut, kind, { ...context, scope });
  if (!sum) return;
  scope.input = tensor.value;
  scope.output = sum.value;
  context.flow.tensor = { ...sum, residuals: (sum.residuals ?? 0) + 1 };
}

/** What the shortcut in force makes of the block's input. Undefined after an error. */
function runShortcut(
  use: Use,
  kind: DeclarationValue | undefined,
  from: TensorValue,
  branch: TensorValue,
  context: Context,
): TensorValue | "nothing" | undefined {
  const scope = draftScope("shortcut", "shortcut", use.span, kind ? { declaration: kind.declaration.name.text } : {});
  scope.input = from.value;
  context.scope.children.push(scope);
  if (!kind) {
    scope.output = from.value;
    return from;
  }
  const { name } = kind.declaration;
  const chain = [...context.chain, { label: `shortcut ${name.text}`, span: use.span }];
  requireDepth(`shortcut ${name.text}`, use, { ...context, chain });
  const opened = open(kind, { ...siteOf(context), chain, at: use.span });
  if (!opened) return undefined;
  const { environment } = opened;
  const strides = [branch.scale[0] / from.scale[0], branch.scale[1] / from.scale[1]] as const;
  const channels = branch.value.type.shape[1] ?? 1;
  const stride = strides[0] === strides[1] ? strides[0] : strides;
  environment.set("channels", typeof channels === "number" ? channels : { kind: "size", dim: channels }, name.span);
  environment.set("stride", stride, name.span);
  environment.set("changes", stride !== 1 || channels !== from.value.type.shape[1], name.span);
  setInput(environment, from, name.span);
  const flow: Flow = { tensor: from };
  const found = { nothing: false };
  context.run(opened.body, {
    ...context,
    kind: "shortcut",
    environment,
    chain,
    scope,
    flow,
    stride: undefined,
    shortcut: found,
    depth: context.depth + 1,
  });
  if (found.nothing) {
    context.scope.children.pop();
    return "nothing";
  }
  if (!isTensor(flow.tensor)) return undefined;
  scope.output = flow.tensor.value;
  return flow.tensor;
}

function addShortcut(
  use: Use,
  from: TensorValue,
  branch: TensorValue,
  shortcut: TensorValue,
  kind: DeclarationValue | undefined,
  context: Context,
): TensorValue | undefined {
  const add = operator("add");
  const message = (): string =>
    `the shortcut gives ${formatShape(shortcut.value.type.shape)}, the residual branch ${formatShape(branch.value.type.shape)}`;
  try {
    add.infer([branch.value.type, shortcut.value.type], {});
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    fail(siteOf(context), "shape-mismatch", use.span, message(), {
      notes: [{ message: `the block's input is ${formatShape(from.value.type.shape)}` }],
      help: shortcutHelp(branch, shortcut, kind),
    });
    return undefined;
  }
  return appendNode({ ...use, label: undefined }, add, [branch, shortcut], completeAttributes(add, {}), context);
}

/** A shortcut follows channels and strides; sizes that no stride explains are lost in the branch. */
function shortcutHelp(
  branch: TensorValue,
  shortcut: TensorValue,
  kind: DeclarationValue | undefined,
): string | undefined {
  const [ours, theirs] = [branch.value.type.shape, shortcut.value.type.shape];
  if (ours.length !== theirs.length) return "a residual branch gives a map: `fc`, `flatten` and the like come after it";
  const follows = branch.scale.every((scale, axis) => scale === shortcut.scale[axis]);
  if (follows && ours[1] === theirs[1]) {
    return "no stride explains it: the branch loses rows and columns, or gains some; odd kernels keep them, and `pad`";
  }
  if (!kind) return "a shortcut such as `shortcuts projection_on_change` (std/shortcuts) follows a change of shape";
  return `\`${kind.declaration.name.text}\` does not follow: a shortcut has to give \`channels\` channels, with the stride \`stride\``;
}

/** `nothing`, in a shortcut declaration. */
export function applyNothing(use: Use, context: Context): void {
  if (context.shortcut) context.shortcut.nothing = true;
  else fail(siteOf(context), "misplaced-statement", use.span, "`nothing` belongs in a shortcut declaration");
}
