/** Statements, one after the other, each on the tensor that the one before gave. */
import type { Body, Expression, For, Input, Stage, Use } from "../../grammar/ast.js";
import { own } from "../../grammar/own.js";
import { NO_LAYER } from "../diagnostics/suggest.js";
import { inlineNetwork, instantiateBlock, readInput, runStage } from "./instantiate.js";
import { LAYER_WORDS } from "./layer-words.js";
import { applied, describeNumber, evaluate, evaluateWhole, member, wrongType } from "./evaluate.js";
import { draftScope } from "./draft.js";
import { isUnknown, makeList } from "./lists.js";
import { isSkipped, isTensor, inner, siteOf, withMembers, type Context } from "./context.js";
import { applyShared } from "./shared.js";
import { walk, type Turns, type Walk } from "./statements.js";
import { applyNetworkWord, NETWORK_WORDS } from "./network-words.js";
import { fail, unknownName } from "./site.js";
import { describeKind, isList, isRecord, UNKNOWN, type EvalValue, type TensorValue, type Unknown } from "./values.js";

const LAYERS: Walk<Context> = {
  site: (context) => siteOf(context),
  inner: (context) => inner(context),
  lost: (context) => void (context.flow.tensor = UNKNOWN),
  failed(context) {
    context.flow.tensor = UNKNOWN;
    return "stop";
  },
  collect: listOfTurns,
  other(statement, context) {
    const { trace, nodes } = context.builder;
    if (!trace) return carryOut(statement, context);
    const before = context.flow.tensor;
    const first = nodes.length;
    carryOut(statement, context);
    trace.add({ statement, context, before, after: context.flow.tensor, first, end: nodes.length });
  },
};

function carryOut(statement: Stage | Input | Use, context: Context): void {
  if (statement.kind === "stage") runStage(statement, context);
  else if (statement.kind === "input") readInput(statement, context);
  else runUse(statement, context);
}

/** Carries out a network's own body, and with it every body in it. */
export function runBody(body: Body, context: Omit<Context, "run">): void {
  run(body, { ...context, run });
}

function run(body: Body, context: Context): void {
  walk(body, context, LAYERS);
}

/**
 * The list of what the turns gave, each with its labels as members. In the graph each turn is a part of its own, by its
 * number from 0: `heads.0.conv`.
 */
function listOfTurns({ label, span, body }: For, context: Context): Turns<Context> {
  const list = draftScope("group", "for", span, { label: label!.text });
  context.scope.children.push(list);
  const found: EvalValue[] = [];
  return {
    begin() {
      const scope = draftScope("group", "turn", body.span, { indexed: true });
      if (isTensor(context.flow.tensor)) scope.input = context.flow.tensor.value;
      list.children.push(scope);
      return inner(context, { scope });
    },
    end(turn) {
      const { tensor } = turn.flow;
      if (!isTensor(tensor)) return void found.push(UNKNOWN);
      turn.scope.output = tensor.value;
      found.push(withMembers(tensor, turn.environment, turn));
    },
    finish() {
      const given = makeList(found.length, () => found, span, siteOf(context));
      context.environment.set(label!.text, given, label!.span);
    },
  };
}

/** A layer, a setting, a block, a network or a part of one, or a label. */
function runUse(use: Use, context: Context): void {
  const [first, ...members] = use.target;
  if (!first) return;
  const setting = members.length === 0 ? own(NETWORK_WORDS, first.text) : undefined;
  // A block may be called like a setting (`weights`), so what is written decides.
  if (setting && use.style === "bare") return applyNetworkWord(use, setting, context);
  const word = members.length === 0 && !use.through ? own(LAYER_WORDS, first.text) : undefined;
  if (word?.defines) return word.apply(use, context, {});
  if (isSkipped(context)) return;
  if (context.flow.tensor === undefined) {
    fail(siteOf(context), "missing-input", use.span, "the network has layers before its `input`", {
      help: "begin with `input image 3x224x224`",
    });
    context.flow.tensor = UNKNOWN;
  }
  const times = use.repeat ? evaluateWhole(use.repeat, siteOf(context), "a repetition", 0) : 1;
  if (times === undefined) {
    context.flow.tensor = UNKNOWN;
    if (use.label) context.environment.set(use.label.text, UNKNOWN, use.label.span);
    return;
  }
  const runAll = (): TensorValue | Unknown => {
    for (let turn = 0; turn < times; turn++) {
      context.builder.reporter.budget.spend(2, use.span, context.chain);
      if (word) word.apply(use, context, {});
      else runOnce(use, context);
    }
    return context.flow.tensor ?? UNKNOWN;
  };
  const before = context.flow.tensor;
  const result = use.on ? onOthers(use.on, context, runAll) : runAll();
  // Its label is its own name: of a loss, which no tensor of the network is.
  if (word?.isAside ?? namesAside(use, context)) context.flow.tensor = before;
  else if (use.label) context.environment.set(use.label.text, result, use.label.span);
}

/** A parameter may carry a loss: `loss = cross_entropy`. */
function namesAside({ target }: Use, context: Context): boolean {
  const value = target.length === 1 ? context.environment.lookup(target[0]!.text)?.get() : undefined;
  return value !== undefined && isRecord(value, "layer") && value.word.isAside === true;
}

/** `conv 1x1, 256 on c3`: the flow is taken up at another tensor; of a list, at each, which gives a list. */
function onOthers(on: Expression, context: Context, run: () => TensorValue | Unknown): EvalValue {
  const value = evaluate(on, siteOf(context));
  const start = (tensor: EvalValue): TensorValue | Unknown => {
    if (isRecord(tensor, "tensor")) return tensor;
    wrongType("a tensor", tensor, on.span, siteOf(context));
    return UNKNOWN;
  };
  const runFrom = (one: EvalValue): TensorValue | Unknown => {
    context.flow.tensor = start(one);
    return run();
  };
  return isList(value) ? makeList(value.length, () => value.map(runFrom), on.span, siteOf(context)) : runFrom(value);
}

const ONE_OF_THEM =
  "`identity on maps[0]` is one of its tensors, `concat { identity on maps[0] } { identity on maps[1] }` joins two";

/** What a name stands for: a block, a layer, a network or a part of one, a shared part, a label, or none of them. */
function runOnce(use: Use, context: Context): void {
  const value = resolveTarget(use, context);
  if (isUnknown(value)) {
    context.flow.tensor = UNKNOWN;
    return;
  }
  if (isRecord(value, "layer")) return value.word.apply(use, context, value.given);
  if (use.bodies[0])
    fail(siteOf(context), "unexpected-body", use.bodies[0].span, `${describeKind(value)} takes no braces`);
  if (isRecord(value, "none")) return;
  if (isRecord(value, "part")) return inlineNetwork(use, value, context);
  if (isRecord(value, "shared")) return applyShared(use, value, context);
  if (isRecord(value, "tensor")) {
    if (isTensor(context.flow.tensor) || context.flow.tensor === UNKNOWN) context.flow.tensor = value;
    return;
  }
  if (isRecord(value, "declaration")) {
    const { keyword, name } = value.declaration;
    if (keyword === "block") return instantiateBlock(use, value, context);
    if (keyword === "network") return inlineNetwork(use, { kind: "part", network: value, from: "", to: "" }, context);
    const help =
      keyword === "shortcut"
        ? `write \`shortcuts ${name.text}\`, or \`residual(shortcut: ${name.text}) { ... }\``
        : undefined;
    fail(siteOf(context), "not-a-layer", use.span, `${describeKind(value)} can't stand among layers`, { help });
  } else {
    // `concat all`: the list stands where its tensors should.
    const help = isList(value) && value.some((each) => isRecord(each, "tensor")) ? ONE_OF_THEM : undefined;
    fail(siteOf(context), "not-a-layer", use.span, `${describeNumber(value)} can't stand among layers`, { help });
  }
  context.flow.tensor = UNKNOWN;
}

/** What `backbone.conv1 .. backbone.conv4` or `basic(64)` names, with its arguments. */
function resolveTarget(use: Use, context: Context): EvalValue {
  const site = siteOf(context, use.span);
  const path = (identifiers: Use["target"]): EvalValue => {
    const [first, ...members] = identifiers;
    if (!first) return UNKNOWN;
    const binding = context.environment.lookup(first.text);
    let value = binding ? binding.get() : unknownLayer(first.text, first.span, context);
    for (const name of members) value = member(value, name, site);
    return value;
  };
  const value = path(use.target);
  if (use.through) {
    const to = path(use.through);
    if (isUnknown(value) || isUnknown(to)) return UNKNOWN;
    if (isRecord(value, "part") && isRecord(to, "part") && value.network.declaration === to.network.declaration) {
      return { ...value, to: to.to };
    }
    return fail(site, "wrong-type", use.span, "both ends must be stages of one network");
  }
  if (use.arguments.length === 0 || isUnknown(value)) return value;
  // A layer takes them where it is applied; to what is not given they say nothing.
  if (isRecord(value, "layer") || isRecord(value, "none")) return value;
  if (isRecord(value, "declaration")) return applied(value, use.arguments, use.span, site);
  return fail(
    site,
    "unknown-argument",
    use.arguments[0]?.span ?? use.span,
    `${describeKind(value)} takes no arguments`,
  );
}

/** As for any name, with a network's settings among the suggestions. */
function unknownLayer(name: string, span: Use["span"], context: Context): EvalValue {
  const names = (): string[] => [...context.environment.names(), ...Object.keys(NETWORK_WORDS)];
  return unknownName(name, span, siteOf(context), names, NO_LAYER);
}
