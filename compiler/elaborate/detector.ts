/** What blocks know without being given it, the network's `image` and a detector's `dialect`; and what a detector finds. */
import type { Span } from "../../grammar/ast.js";
import type * as ir from "../ir/types.js";
import { readDialect } from "./dialect.js";
import type { Environment } from "./environment.js";
import { isTensor, siteOf, type Flow, type NetworkState, type Context } from "./context.js";
import { fail, type Site } from "./site.js";
import { isRecord, UNKNOWN, type EvalValue } from "./values.js";

interface At {
  readonly span: Span;
}

/** Makes both known to a block's body, unless it has names like these of its own; where there are none, they are errors. */
export function knowNetwork(environment: Environment, block: string, use: At, context: Context): void {
  const known: Readonly<Record<string, () => EvalValue>> = {
    image: () => imageOf(context.network) ?? noDetector(`\`${block}\``, use, context),
    dialect: () => dialectInForce(`\`${block}\``, use, context),
  };
  for (const [name, get] of Object.entries(known)) {
    if (!environment.own(name)) environment.define(name, { span: use.span, get });
  }
}

/** @param who needs it, for messages */
export function dialectInForce(who: string, use: At, context: Context): EvalValue {
  const { dialect, detector } = context.network;
  if (!detector) return noDetector(who, use, context);
  if (dialect) return readDialect(dialect, siteOf(context)) ?? UNKNOWN;
  return complain(context, () => {
    const help = "write `dialect detectron2` (std/dialects) before it";
    fail(siteOf(context), "missing-argument", use.span, `${who} needs the detector's dialect`, { help });
  });
}

function noDetector(who: string, use: At, context: Context): EvalValue {
  return complain(context, () => {
    const help = "declare it with `detector` in place of `network`";
    fail(siteOf(context), "misplaced-statement", use.span, `${who} stands in a detector`, { help });
  });
}

/** Where a detector's blocks stand in a network, what they miss is told already. */
function imageOf(network: Context["network"]): EvalValue | undefined {
  return complained.has(network) ? UNKNOWN : network.image;
}

/** Networks that have been told what they lack: once is enough. */
const complained = new WeakSet<Context["network"]>();

function complain({ network }: Context, report: () => void): EvalValue {
  if (!complained.has(network)) report();
  complained.add(network);
  return UNKNOWN;
}

export const MASKS = "masks";

/** What a detector ends with has the first four members, and where it has masks, the last. */
export function detectionsOf(tensor: Flow["tensor"]): ir.NamedValue[] | undefined {
  const member = (name: string): ir.NamedValue | undefined => {
    const value = isTensor(tensor) ? tensor.members?.get(name) : undefined;
    return value !== undefined && isRecord(value, "tensor") ? { name, value: value.value } : undefined;
  };
  const found = ["boxes", "scores", "labels", "images"].map(member);
  const masks = member(MASKS);
  return found.every((each) => each !== undefined) ? [...found, ...(masks ? [masks] : [])] : undefined;
}

/** Notes what a block of a detector found, so that it can't be lost. */
export function noteFound(tensor: Flow["tensor"], span: Span, { network, chain }: Context): void {
  if (!network.root || !network.detector) return;
  const boxes = detectionsOf(tensor)?.find(({ name }) => name === "boxes")?.value;
  // A block that ends with another gives what that found: the outer one, which comes later, is what the author wrote.
  if (boxes) network.found.set(boxes, { span, chain });
}

/** A detector gives what its body ends with: what was found besides and reaches no output would be lost without a word. */
export function refuseLost(
  found: NetworkState["found"],
  outputs: readonly ir.NamedValue[],
  nodes: readonly ir.Node[],
  site: Site,
): void {
  if (found.size < 2) return;
  const needed = new Set(outputs.map(({ value }) => value));
  for (const node of [...nodes].reverse()) {
    if (node.outputs.some((output) => needed.has(output))) node.inputs.forEach((input) => needed.add(input));
  }
  for (const [boxes, { span, chain }] of found) {
    if (needed.has(boxes)) continue;
    const message = "what is detected here is lost: a detector gives what its body ends with";
    const help = "detect once, in regions set one after the other (`concat_rows [a, b]`), or name these by `output`";
    fail({ ...site, chain }, "unused-detections", span, message, { help });
  }
}
