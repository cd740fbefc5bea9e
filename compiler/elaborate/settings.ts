/** Statements that say something of a network, a preprocessing or a name map rather than add a layer. */
import type { Use } from "../../grammar/ast.js";
import { own } from "../../grammar/own.js";
import { didYouMean } from "../diagnostics/suggest.js";
import type { Preprocess, ResizeShorter, WeightMap } from "../model.js";
import { channelsOf, counted, forChannels } from "../preprocess.js";
import { bind, type Bound, type Spec } from "./bind.js";
import { open, type Opened } from "./declarations.js";
import { evaluate, checkAssertion, evaluateBoolean, fail, wrongType, type Site } from "./evaluate.js";
import { isUnknown } from "./lists.js";
import { Environment } from "./environment.js";
import { siteOf, type Place } from "./place.js";
import { isList, type DeclarationValue } from "./values.js";
import type { Body, Statement } from "../../grammar/ast.js";

export type SettingSpec = readonly Spec[];

const spec = (name: string, type: Spec["type"], more: Partial<Spec> = {}): Spec => ({ name, type, ...more });

/** In a network's body. */
export const NETWORK_SETTINGS: Readonly<Record<string, SettingSpec>> = {
  shortcuts: [spec("kind", "shortcut")],
  preprocess: [spec("how", "preprocess")],
  labels: [spec("names", "strings")],
  weights: [spec("maps", "weights", { many: true })],
  output: [spec("tensors", "tensor", { many: true })],
  dialect: [spec("rules", "dialect")],
};

/** In a `preprocess` declaration. */
export const PREPROCESS_SETTINGS: Readonly<Record<string, SettingSpec>> = {
  resize: [
    spec("shorter", "int", { min: 1, optional: true }),
    spec("longest", "int", { min: 1, optional: true }),
    spec("like", "word", { words: ["opencv", "torch", "pillow"], optional: true }),
    spec("to", "size2", { min: 1, optional: true }),
  ],
  pad_to: [spec("multiple", "int", { min: 1 })],
  center_crop: [spec("size", "size2", { min: 1 })],
  interpolation: [spec("kind", "word", { words: ["bilinear", "bicubic", "nearest"] })],
  color: [spec("order", "word", { words: ["rgb", "bgr", "grey"] })],
  range: [spec("white", "number", { min: 1e-6 })],
  subtract: [spec("mean", "channels")],
  divide: [spec("std", "channels", { min: 1e-12 })],
};

/** In a `weights` declaration. */
export const WEIGHTS_SETTINGS: Readonly<Record<string, SettingSpec>> = {
  format: [spec("framework", "word", { words: ["pytorch", "caffe", "detectron2"] })],
  rename: [spec("ours", "string"), spec("theirs", "string")],
  ignore: [spec("pattern", "string")],
  stride_in: [spec("kernel", "size2", { min: 1 })],
  epsilon: [spec("value", "number", { min: 0 })],
  trained_with: [spec("preprocess", "preprocess")],
};

/** Carries out `shortcuts X` and its like. */
export function applySetting(use: Use, specs: SettingSpec, place: Place): void {
  const word = use.target[0]?.text ?? "";
  const site = siteOf(place);
  if (place.kind !== "network") {
    fail(site, "misplaced-statement", use.span, `\`${word}\` stands in a network's own body`);
    return;
  }
  const bound = bind(`\`${word}\``, specs, use.arguments, use.span, site);
  if (!bound) return;
  place.network.settings.set(word, bound);
  if (word === "shortcuts") place.network.shortcut = bound["kind"] as DeclarationValue;
  if (word === "dialect") place.network.dialect = bound["rules"] as DeclarationValue;
  if (word === "output") place.network.outputs = bound["tensors"] as NonNullable<Place["network"]["outputs"]>;
}

interface Setting {
  readonly word: string;
  readonly values: Readonly<Record<string, Bound>>;
  readonly use: Use;
}

/** A declaration whose body says things rather than adds layers. */
export interface SettingsBody {
  readonly declaration: { readonly keyword: string };
  readonly body: Body;
  readonly environment: Environment;
}

/** Goes through such a body: `let`, `assert`, `if` and `for` as everywhere, all else is handed over. */
export function readStatements(opened: SettingsBody, site: Site, onUse: (use: Use, site: Site) => void): void {
  const { budget } = site.reporter;
  const runAll = (body: Body, environment: Environment): void => {
    budget.enter(body.span, site.chain);
    for (const statement of body.statements) run(statement, environment);
    budget.leave();
  };
  const run = (statement: Statement, environment: Environment): void => {
    const here = { ...site, environment };
    budget.spend(2, statement.span, site.chain);
    switch (statement.kind) {
      case "let":
        environment.set(statement.name.text, evaluate(statement.value, here), statement.name.span);
        return;
      case "assert":
        checkAssertion(statement, here);
        return;
      case "if": {
        const condition = evaluateBoolean(statement.condition, here);
        const chosen = condition === undefined ? undefined : condition ? statement.then : statement.else;
        if (chosen?.kind === "body") runAll(chosen, new Environment(environment));
        else if (chosen) run(chosen, environment);
        return;
      }
      case "for": {
        const over = evaluate(statement.over, here);
        if (isUnknown(over)) return;
        if (!isList(over)) return void wrongType("a range or a list", over, statement.over.span, here);
        for (const item of over) {
          budget.spend(2, statement.span, site.chain);
          const turn = new Environment(environment);
          turn.set(statement.variable.text, item, statement.variable.span);
          runAll(statement.body, turn);
        }
        return;
      }
      case "use":
        return onUse(statement, here);
      case "stage":
      case "input": {
        const message = `this does not belong in a ${opened.declaration.keyword} declaration`;
        fail(here, "misplaced-statement", statement.span, message);
      }
    }
  };
  runAll(opened.body, opened.environment);
}

/** The settings that a declaration such as `preprocess` makes, in order. */
export function readSettings(opened: Opened, table: Readonly<Record<string, SettingSpec>>, site: Site): Setting[] {
  const settings: Setting[] = [];
  readStatements(opened, site, (use, here) => {
    const word = use.target.map((part) => part.text).join(".");
    const specs = own(table, word);
    if (!specs) {
      const { keyword } = opened.declaration;
      const help = (): string => didYouMean(word, Object.keys(table)) ?? `it has ${Object.keys(table).join(", ")}`;
      const message = `\`${word}\` does not belong in a ${keyword} declaration`;
      fail(here, "misplaced-statement", use.span, message, { help });
      return;
    }
    const values = bind(`\`${word}\``, specs, use.arguments, use.span, here);
    if (values) settings.push({ word, values, use });
  });
  return settings;
}

/** The record of a `preprocess` declaration. Undefined after an error. */
export function readPreprocess(value: DeclarationValue, site: Site): Preprocess | undefined {
  const opened = open(value, site);
  if (!opened) return undefined;
  const given = new Map(
    readSettings(opened, PREPROCESS_SETTINGS, site).map((setting) => [setting.word, setting] as const),
  );
  const get = (word: string, name: string): Bound | undefined => given.get(word)?.values[name];
  const shorter = get("resize", "shorter") as number | undefined;
  const longest = get("resize", "longest") as number | undefined;
  const like = get("resize", "like") as ResizeShorter["like"];
  const padTo = get("pad_to", "multiple") as number | undefined;
  const to = get("resize", "to") as readonly [number, number] | undefined;
  const crop = get("center_crop", "size") as readonly [number, number] | undefined;
  const byShorter = shorter === undefined ? undefined : { shorter, ...(longest && { longest }), ...(like && { like }) };
  const resize = to ? { to } : byShorter;
  const color = (get("color", "order") as Preprocess["color"] | undefined) ?? "rgb";
  const perChannel = (word: string, name: string, missing: number): readonly number[] | undefined => {
    const setting = given.get(word);
    const numbers = (setting?.values[name] as readonly number[] | undefined) ?? [missing, missing, missing];
    const fit = forChannels(numbers, channelsOf({ color }));
    if (!fit && setting) {
      fail(
        site,
        "channel-mismatch",
        setting.use.span,
        `\`${word}\` has ${counted(numbers)}, \`color ${color}\` takes ${channelsOf({ color })}`,
      );
    }
    return fit;
  };
  const mean = perChannel("subtract", "mean", 0);
  const std = perChannel("divide", "std", 1);
  if (!mean || !std) return undefined;
  return {
    name: value.alias ?? value.declaration.name.text,
    ...(resize ? { resize } : {}),
    ...(crop ? { centerCrop: crop } : {}),
    interpolation: (get("interpolation", "kind") as Preprocess["interpolation"] | undefined) ?? "bilinear",
    color,
    range: (get("range", "white") as number | undefined) ?? 1,
    mean,
    std,
    ...(padTo && { padTo }),
  };
}

/** The record of a `weights` declaration. Undefined after an error. */
export function readWeightMap(value: DeclarationValue, site: Site): WeightMap | undefined {
  const opened = open(value, site);
  if (!opened) return undefined;
  const settings = readSettings(opened, WEIGHTS_SETTINGS, site);
  const last = (word: string, name: string): Bound | undefined =>
    settings.findLast((setting) => setting.word === word)?.values[name];
  const all = (word: string): Setting[] => settings.filter((setting) => setting.word === word);
  const strideIn = last("stride_in", "kernel") as WeightMap["strideIn"];
  const epsilon = last("epsilon", "value") as number | undefined;
  const trainedWith = last("trained_with", "preprocess") as DeclarationValue | undefined;
  const preprocess = trainedWith && readPreprocess(trainedWith, site);
  return {
    name: value.alias ?? value.declaration.name.text,
    format: (last("format", "framework") as WeightMap["format"] | undefined) ?? "pytorch",
    renames: all("rename").map(({ values }) => ({
      ours: values["ours"] as string,
      theirs: values["theirs"] as string,
    })),
    ignore: all("ignore").map(({ values }) => values["pattern"] as string),
    ...(strideIn ? { strideIn } : {}),
    ...(epsilon === undefined ? {} : { epsilon }),
    ...(preprocess ? { trainedWith: preprocess } : {}),
  };
}
