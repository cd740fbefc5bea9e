/** `head = shared { ... }`: a part of a network that is used several times with the same weights. */
import type { Use } from "../../grammar/ast.js";
import { draftScope } from "./draft.js";
import { Environment } from "./environment.js";
import { fail } from "./evaluate.js";
import { runBody } from "./flow.js";
import { isTensor, requireDepth, withMembers, setInput, siteOf, type Place } from "./place.js";
import { UNKNOWN, type SharedValue } from "./values.js";

/** Makes the part known by its label; its layers come where it is used. */
export function defineShared(use: Use, place: Place): void {
  const site = siteOf(place);
  const [body] = use.bodies;
  if (!use.label) {
    const help = "write `head = shared { ... }`, then `head on regions`";
    fail(site, "misplaced-statement", use.span, "a shared part needs a name", { help });
  } else if (!body || use.bodies.length > 1) {
    fail(site, "missing-body", use.span, "`shared` needs its layers in one pair of braces");
    place.environment.set(use.label.text, UNKNOWN, use.label.span);
  } else {
    const { text: name, span } = use.label;
    place.environment.set(name, { kind: "shared", name, body, place, parameters: [], uses: { count: 0 } }, span);
  }
}

/** Its layers once more, on the tensor that flows. */
export function applyShared(use: Use, part: SharedValue, place: Place): void {
  const label = `shared part ${part.name}`;
  const chain = [...place.chain, { label, span: use.span }];
  requireDepth(label, use, { ...place, chain });
  if (use.arguments.length > 0) {
    fail(siteOf(place), "unknown-argument", use.arguments[0]!.span, `${label} takes no arguments`);
  }
  part.uses.count += 1;
  // The parameters are called as in the first use; the layers of later ones get paths of their own.
  const isFirst = part.uses.count === 1;
  const name = isFirst ? part.name : `${part.name}@${part.uses.count}`;
  const home = isFirst ? part.place.scope : undefined;
  const scope = draftScope("block", name, use.span, { declaration: part.name, label: name, home });
  home?.guests.push(scope);
  const { flow } = place;
  if (isTensor(flow.tensor)) scope.input = flow.tensor.value;
  place.scope.children.push(scope);
  const environment = new Environment(part.place.environment);
  setInput(environment, flow.tensor ?? UNKNOWN, use.span);
  place.session.sharing(part.parameters, () => {
    runBody(part.body, {
      ...part.place,
      kind: "block",
      environment,
      chain,
      scope,
      flow,
      stride: undefined,
      depth: place.depth + 1,
    });
  });
  if (!isTensor(flow.tensor)) return;
  scope.output = flow.tensor.value;
  flow.tensor = withMembers(flow.tensor, environment, place);
}
