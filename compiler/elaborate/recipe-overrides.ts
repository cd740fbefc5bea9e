/**
 * Values of a recipe that are given beside it: `--set learning_rate=0.01`, `optimizer.momentum=0.8`. Each is read as the
 * statement of a recipe that it nearly is, by the same words and bounds, and changes what the recipe says.
 */
import type { Argument, Use } from "../../grammar/ast.js";
import { own } from "../../grammar/own.js";
import { didYouMean } from "../diagnostics/suggest.js";
import type { Program } from "../program.js";
import { completed, type Form, type Word } from "../words/schema.js";
import { bind, bindSome, hasAll } from "./bind.js";
import { NONE } from "./values.js";
import type { RecipeDraft, Statement } from "./recipe-draft.js";
import { RECIPE_BODIES, RECIPE_WORDS, recipeWord } from "./recipe-words.js";
import { fail, type Site } from "./site.js";

/** The statements; undefined after an error, which is reported at its place in the text that was typed. */
export function parseOverrides(program: Program, texts: readonly string[]): readonly Use[] | undefined {
  const uses = texts.map((text, index) => parseOverride(program, text, index));
  return uses.every((use) => use !== undefined) ? uses : undefined;
}

const [PREFIX, SUFFIX] = ["recipe changed { ", ") }"];

function parseOverride(program: Program, text: string, index: number): Use | undefined {
  const { reporter } = program;
  const place = `--set, number ${index + 1}`;
  const whole = { file: place, start: 0, end: text.length };
  const misshapen = (): undefined => {
    program.addText(place, text);
    reporter.report("syntax-error", whole, "a setting and its value are needed here", {
      help: "write `learning_rate=0.01`, `optimizer.momentum=0.8`, or `ema=none` to take one away",
    });
  };
  if (!/^\s*[A-Za-z_][\w.]*\s*=\s*\S/.test(text)) return misshapen();
  const before = reporter.errorCount;
  // `batch=8` is `batch(8)`: a place in one is that place in the other.
  const { file } = program.add(place, PREFIX + text.replace("=", "(") + SUFFIX);
  program.addText(place, text);
  reporter.shift(place, -PREFIX.length);
  if (reporter.errorCount > before) return undefined;
  const [declaration, ...others] = file.declarations;
  const [statement, ...more] = declaration?.body?.statements ?? [];
  const isOne = statement?.kind === "use" && more.length === 0 && others.length === 0;
  if (!isOne || statement.repeat || statement.on || statement.label || statement.through || statement.bodies.length > 0)
    return misshapen();
  return statement;
}

/** Changes the draft; what is wrong is reported and makes it not ok. */
export function applyOverrides(draft: RecipeDraft, uses: readonly Use[], site: Site): void {
  for (const use of uses) if (!applyOverride(draft, use, site)) draft.ok = false;
}

function applyOverride(draft: RecipeDraft, use: Use, site: Site): boolean {
  const [name = "", ...path] = use.target.map((part) => part.text);
  const word = recipeWord(name);
  if (!word) return unknownWord(name, use, site);
  const before = draft.settings.get(name)?.at(-1);
  const [only, ...rest] = use.arguments;
  if (path.length === 0 && rest.length === 0 && isNone(only, site)) {
    draft.settings.delete(name);
    return true;
  }
  const callee = `\`${name}\``;
  if (path.length === 0 && word.repeats) {
    const values = bind(callee, word.arguments, use.arguments, use.span, site);
    if (values) draft.settings.set(name, [{ values, span: use.span }]);
    return values !== undefined;
  }
  const found =
    path.length === 0
      ? bindSome(callee, word.arguments, use.arguments, site)
      : bindNested(word, path, before, use, site);
  if (!found) return false;
  const values = merged(word, before?.values ?? {}, found);
  draft.settings.set(name, [...(draft.settings.get(name) ?? []).slice(0, -1), { values, span: use.span }]);
  return hasAll(callee, word.arguments, { has: (each) => values[each] !== undefined }, use.span, site);
}

function isNone(argument: Argument | undefined, site: Site): boolean {
  if (argument?.value.kind !== "name" || argument.name) return false;
  return site.environment.lookup(argument.value.text)?.get() === NONE;
}

type GivenValues = Readonly<Record<string, unknown>>;

/** `stop.epochs`, `optimizer.momentum`, `learning_rate.schedule.to` */
function bindNested(
  word: Word,
  path: readonly string[],
  before: Statement | undefined,
  use: Use,
  site: Site,
): GivenValues | undefined {
  const [first = "", second] = path;
  const outer = own(word.arguments, first);
  if (outer && path.length === 1) return bindOne(word, first, use, site);
  // An argument of the form that stands there: the optimizer's, the schedule's.
  const holder = outer ? first : Object.keys(word.arguments).find((name) => word.arguments[name]!.type.kind === "form");
  const type = holder === undefined ? undefined : word.arguments[holder]!.type;
  const form = type?.kind === "form" ? (before?.values[holder!] as Form | undefined) : undefined;
  const chosen = type?.kind === "form" && form ? type.forms[form.form] : undefined;
  const name = outer ? (second ?? "") : first;
  const inner = chosen && own(chosen.arguments, name);
  if (!form || !chosen || !inner || path.length > (outer ? 2 : 1)) {
    const callee = form ? `\`${form.form}\` of \`${word.name}\`` : `\`${word.name}\``;
    const names = Object.keys({ ...word.arguments, ...chosen?.arguments });
    const help = didYouMean(name, names) ?? `it takes ${names.join(", ")}`;
    fail(site, "unknown-argument", use.target.at(-1)!.span, `${callee} has no \`${path.join(".")}\``, { help });
    return undefined;
  }
  const bound = bindOne(chosen, name, use, site);
  return bound && { [holder!]: { ...form, values: completed(chosen.arguments, merged(chosen, form.values, bound)) } };
}

/** One argument, undefined where it is taken away by `none`. */
function bindOne(word: Word, name: string, use: Use, site: Site): GivenValues | undefined {
  const bound = bindSome(`\`${word.name}\``, { [name]: word.arguments[name]! }, use.arguments, site);
  return bound && { [name]: undefined, ...bound };
}

/** What is new takes the place of what was, and of what can't stand beside it. */
function merged({ alternatives = [] }: Word, before: GivenValues, found: GivenValues): GivenValues {
  const replaced = alternatives.some((name) => found[name] !== undefined);
  const kept = Object.entries(before).filter(([name]) => !(replaced && alternatives.includes(name)));
  return { ...Object.fromEntries(kept), ...found };
}

function unknownWord(word: string, use: Use, site: Site): false {
  const isBody = Object.hasOwn(RECIPE_BODIES, word);
  const help = isBody
    ? "give the recipe a parameter for it"
    : (didYouMean(word, Object.keys(RECIPE_WORDS)) ?? `it has ${Object.keys(RECIPE_WORDS).join(", ")}`);
  const message = isBody ? `the transforms of \`${word}\` can't be set` : `a recipe has no \`${word}\``;
  fail(site, "misplaced-statement", use.target[0]!.span, message, { help });
  return false;
}
