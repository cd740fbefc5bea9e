/** Statements, one after the other, each on the tensor that the one before gave. */
import type { Body, Expression, For, Use } from "../../grammar/ast.js";
import { own } from "../../grammar/own.js";
import { NO_LAYER } from "../diagnostics/suggest.js";
import { inlineNetwork, instantiateBlock, readInput, runStage } from "./instantiate.js";
import { LAYER_WORDS } from "./layer-words.js";
import { applied, describeNumber, evaluate, evaluateWhole, fail, member, unknownName, wrongType } from "./evaluate.js";
import { draftScope } from "./draft.js";
import { isUnknown, makeList } from "./lists.js";
import { isSkipped, isTensor, inner, siteOf, withMembers, type Place } from "./place.js";
import { applyShared } from "./shared.js";
import { walk, type Turns, type Walk } from "./statements.js";
import { applyNetworkWord, NETWORK_WORDS } from "./network-words.js";
import { describeKind, isList, isRecord, UNKNOWN, type EvalValue, type TensorValue, type Unknown } from "./values.js";

const LAYERS: Walk<Place> = {
  site: (place) => siteOf(place),
  inner: (place) => inner(place),
  lost: (place) => void (place.flow.tensor = UNKNOWN),
  failed(place) {
    place.flow.tensor = UNKNOWN;
    return "stop";
  },
  collect: listOfTurns,
  other(statement, place) {
    if (statement.kind === "stage") runStage(statement, place);
    else if (statement.kind === "input") readInput(statement, place);
    else runUse(statement, place);
  },
};

export function runBody(body: Body, place: Place): void {
  walk(body, place, LAYERS);
}

/**
 * The list of what the turns gave, each with its labels as members. In the graph each turn is a part of its own, by its
 * number from 0: `heads.0.conv`.
 */
function listOfTurns({ label, span, body }: For, place: Place): Turns<Place> {
  const list = draftScope("group", "for", span, { label: label!.text });
  place.scope.children.push(list);
  const found: EvalValue[] = [];
  return {
    begin() {
      const scope = draftScope("group", "turn", body.span, { indexed: true });
      if (isTensor(place.flow.tensor)) scope.input = place.flow.tensor.value;
      list.children.push(scope);
      return inner(place, { scope });
    },
    end(turn) {
      const { tensor } = turn.flow;
      if (!isTensor(tensor)) return void found.push(UNKNOWN);
      turn.scope.output = tensor.value;
      found.push(withMembers(tensor, turn.environment, turn));
    },
    finish() {
      const given = makeList(found.length, () => found, span, siteOf(place));
      place.environment.set(label!.text, given, label!.span);
    },
  };
}

/** A layer, a setting, a block, a network or a part of one, or a label. */
function runUse(use: Use, place: Place): void {
  const [first, ...members] = use.target;
  if (!first) return;
  const setting = members.length === 0 ? own(NETWORK_WORDS, first.text) : undefined;
  // A block may be called like a setting (`weights`), so what is written decides.
  if (setting && use.style === "bare") return applyNetworkWord(use, setting, place);
  const word = members.length === 0 && !use.through ? own(LAYER_WORDS, first.text) : undefined;
  if (word?.defines) return word.apply(use, place, {});
  if (isSkipped(place)) return;
  if (place.flow.tensor === undefined) {
    fail(siteOf(place), "missing-input", use.span, "the network has layers before its `input`", {
      help: "begin with `input image 3x224x224`",
    });
    place.flow.tensor = UNKNOWN;
  }
  const times = use.repeat ? evaluateWhole(use.repeat, siteOf(place), "a repetition", 0) : 1;
  if (times === undefined) {
    place.flow.tensor = UNKNOWN;
    return;
  }
  const runAll = (): TensorValue | Unknown => {
    for (let turn = 0; turn < times; turn++) {
      place.session.reporter.budget.spend(2, use.span, place.chain);
      if (word) word.apply(use, place, {});
      else runOnce(use, place);
    }
    return place.flow.tensor ?? UNKNOWN;
  };
  const before = place.flow.tensor;
  const result = use.on ? onOthers(use.on, place, runAll) : runAll();
  // Its label is its own name: of a loss, which no tensor of the network is.
  if (word?.isAside ?? namesAside(use, place)) place.flow.tensor = before;
  else if (use.label) place.environment.set(use.label.text, result, use.label.span);
}

/** A parameter may carry a loss: `loss = cross_entropy`. */
function namesAside({ target }: Use, place: Place): boolean {
  const value = target.length === 1 ? place.environment.lookup(target[0]!.text)?.get() : undefined;
  return value !== undefined && isRecord(value, "layer") && value.word.isAside === true;
}

/** `conv 1x1, 256 on c3`: the flow is taken up at another tensor; of a list, at each, which gives a list. */
function onOthers(on: Expression, place: Place, run: () => TensorValue | Unknown): EvalValue {
  const value = evaluate(on, siteOf(place));
  const start = (tensor: EvalValue): TensorValue | Unknown => {
    if (isRecord(tensor, "tensor")) return tensor;
    wrongType("a tensor", tensor, on.span, siteOf(place));
    return UNKNOWN;
  };
  const runFrom = (one: EvalValue): TensorValue | Unknown => {
    place.flow.tensor = start(one);
    return run();
  };
  return isList(value) ? makeList(value.length, () => value.map(runFrom), on.span, siteOf(place)) : runFrom(value);
}

/** What a name stands for: a block, a layer, a network or a part of one, a shared part, a label, or none of them. */
function runOnce(use: Use, place: Place): void {
  const value = resolveTarget(use, place);
  if (isUnknown(value)) {
    place.flow.tensor = UNKNOWN;
    return;
  }
  if (isRecord(value, "layer")) return value.word.apply(use, place, value.given);
  if (use.bodies[0])
    fail(siteOf(place), "unexpected-body", use.bodies[0].span, `${describeKind(value)} takes no braces`);
  if (isRecord(value, "none")) return;
  if (isRecord(value, "part")) return inlineNetwork(use, value, place);
  if (isRecord(value, "shared")) return applyShared(use, value, place);
  if (isRecord(value, "tensor")) {
    if (isTensor(place.flow.tensor) || place.flow.tensor === UNKNOWN) place.flow.tensor = value;
    return;
  }
  if (isRecord(value, "declaration")) {
    const { keyword, name } = value.declaration;
    if (keyword === "block") return instantiateBlock(use, value, place);
    if (keyword === "network") return inlineNetwork(use, { kind: "part", network: value, from: "", to: "" }, place);
    const help =
      keyword === "shortcut"
        ? `write \`shortcuts ${name.text}\`, or \`residual(shortcut: ${name.text}) { ... }\``
        : undefined;
    fail(siteOf(place), "not-a-layer", use.span, `${describeKind(value)} can't stand among layers`, { help });
  } else {
    fail(siteOf(place), "not-a-layer", use.span, `${describeNumber(value)} can't stand among layers`);
  }
  place.flow.tensor = UNKNOWN;
}

/** What `backbone.conv1 .. backbone.conv4` or `basic(64)` names, with its arguments. */
function resolveTarget(use: Use, place: Place): EvalValue {
  const site = siteOf(place, use.span);
  const path = (identifiers: Use["target"]): EvalValue => {
    const [first, ...members] = identifiers;
    if (!first) return UNKNOWN;
    const binding = place.environment.lookup(first.text);
    let value = binding ? binding.get() : unknownLayer(first.text, first.span, place);
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
function unknownLayer(name: string, span: Use["span"], place: Place): EvalValue {
  const names = (): string[] => [...place.environment.names(), ...Object.keys(NETWORK_WORDS)];
  return unknownName(name, span, siteOf(place), names, NO_LAYER);
}
