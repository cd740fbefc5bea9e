/** `head = shared { ... }`: a part of a network that is used several times with the same weights. */
import type { Use } from "../../grammar/ast.js";
import { draftScope } from "./draft.js";
import { Environment } from "./environment.js";
import { isTensor, requireDepth, withMembers, setInput, siteOf, type Context } from "./context.js";
import { fail } from "./site.js";
import { UNKNOWN, type SharedValue } from "./values.js";

/** Makes the part known by its label; its layers come where it is used. */
export function defineShared(use: Use, context: Context): void {
  const site = siteOf(context);
  const [body] = use.bodies;
  if (!use.label) {
    const help = "write `head = shared { ... }`, then `head on regions`";
    fail(site, "misplaced-statement", use.span, "a shared part needs a name", { help });
  } else if (!body || use.bodies.length > 1) {
    fail(site, "missing-body", use.span, "`shared` needs its layers in one pair of braces");
    context.environment.set(use.label.text, UNKNOWN, use.label.span);
  } else {
    const { text: name, span } = use.label;
    context.environment.set(name, { kind: "shared", name, body, context, parameters: [], uses: { count: 0 } }, span);
  }
}

/** Its layers once more, on the tensor that flows. */
export function applyShared(use: Use, part: SharedValue, context: Context): void {
  const label = `shared part ${part.name}`;
  const chain = [...context.chain, { label, span: use.span }];
  requireDepth(label, use, { ...context, chain });
  if (use.arguments.length > 0) {
    fail(siteOf(context), "unknown-argument", use.arguments[0]!.span, `${label} takes no arguments`);
  }
  part.uses.count += 1;
  // The parameters are called as in the first use; the layers of later ones get paths of their own.
  const isFirst = part.uses.count === 1;
  const name = isFirst ? part.name : `${part.name}@${part.uses.count}`;
  const definedIn = isFirst ? part.context.scope : undefined;
  const scope = draftScope("block", name, use.span, { declaration: part.name, label: name, definedIn });
  definedIn?.sharedParts.push(scope);
  const { flow } = context;
  if (isTensor(flow.tensor)) scope.input = flow.tensor.value;
  context.scope.children.push(scope);
  const environment = new Environment(part.context.environment);
  setInput(environment, flow.tensor ?? UNKNOWN, use.span);
  context.builder.sharing(part.parameters, () => {
    context.run(part.body, {
      ...part.context,
      kind: "block",
      environment,
      chain,
      scope,
      flow,
      stride: undefined,
      depth: context.depth + 1,
    });
  });
  if (!isTensor(flow.tensor)) return;
  scope.output = flow.tensor.value;
  flow.tensor = withMembers(flow.tensor, environment, context);
}
