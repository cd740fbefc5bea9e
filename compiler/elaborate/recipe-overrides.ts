/**
 * Values of a recipe that are given beside it: `--set learning_rate=0.01`, `optimizer.momentum=0.8`. Each is read as the
 * statement of a recipe that it nearly is, by the same words and bounds, and changes what the recipe says.
 */
import type { Argument, Use } from "../../grammar/ast.js";
import { didYouMean } from "../diagnostics/suggest.js";
import type { Program } from "../program.js";
import { bind, hasAll, type Bound, type Form, type Spec } from "./bind.js";
import { Environment } from "./environment.js";
import { fail, type Site } from "./evaluate.js";
import type { Given, RecipeDraft } from "./recipe-draft.js";
import { ALTERNATIVES, RECIPE_BODIES, RECIPE_SETTINGS, REPEATED_WORDS } from "./recipe-words.js";

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
  const { file } = program.add(place, PREFIX + text.replace("=", "(") + SUFFIX, new Environment());
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
  const [word = "", ...path] = use.target.map((part) => part.text);
  if (!Object.hasOwn(RECIPE_SETTINGS, word)) return unknownWord(word, use, site);
  const specs = RECIPE_SETTINGS[word]!;
  const before = draft.settings.get(word)?.at(-1);
  const [only, ...rest] = use.arguments;
  if (path.length === 0 && rest.length === 0 && isNone(only, site)) {
    draft.settings.delete(word);
    return true;
  }
  if (path.length === 0 && REPEATED_WORDS.has(word)) {
    const values = bind(`\`${word}\``, specs, use.arguments, use.span, site);
    if (values) draft.settings.set(word, [{ values, span: use.span }]);
    return values !== undefined;
  }
  const found =
    path.length === 0
      ? bind(`\`${word}\``, specs, use.arguments, use.span, site, { partial: true })
      : bindNested(word, specs, path, before, use, site);
  if (!found) return false;
  const values = merged(word, before?.values ?? {}, found);
  draft.settings.set(word, [...(draft.settings.get(word) ?? []).slice(0, -1), { values, span: use.span }]);
  return hasAll(`\`${word}\``, specs, { has: (name) => values[name] !== undefined }, use.span, site);
}

function isNone(argument: Argument | undefined, site: Site): boolean {
  if (argument?.value.kind !== "name" || argument.name) return false;
  return argument.value.text === "none" && !site.environment.lookup("none");
}

/** `stop.epochs`, `optimizer.momentum`, `learning_rate.schedule.to` */
function bindNested(
  word: string,
  specs: readonly Spec[],
  path: readonly string[],
  before: Given | undefined,
  use: Use,
  site: Site,
): Readonly<Record<string, Bound>> | undefined {
  const outer = specs.find(({ name }) => name === path[0]);
  if (outer && path.length === 1) return bind(`\`${word}\``, [outer], use.arguments, use.span, site);
  // An argument of the form that stands there: the optimizer's, the schedule's.
  const holder = outer ?? specs.find((spec) => spec.forms);
  const form = holder?.forms && (before?.values[holder.name] as Form | undefined);
  const inside = form ? (holder.forms[form.name] ?? []) : [];
  const name = outer ? path[1] : path[0];
  const inner = inside.find((spec) => spec.name === name);
  if (!form || !inner || path.length > (outer ? 2 : 1)) {
    const callee = form ? `\`${form.name}\` of \`${word}\`` : `\`${word}\``;
    const names = [...specs, ...inside].map((spec) => spec.name);
    const help = didYouMean(name ?? "", names) ?? `it takes ${names.join(", ")}`;
    fail(site, "unknown-argument", use.target.at(-1)!.span, `${callee} has no \`${path.join(".")}\``, { help });
    return undefined;
  }
  const bound = bind(`\`${form.name}\``, [inner], use.arguments, use.span, site);
  return bound && { [holder.name]: { ...form, values: merged(form.name, form.values, bound) } };
}

/** What is new takes the place of what was, and of what can't stand beside it. */
function merged(
  word: string,
  before: Readonly<Record<string, Bound>>,
  found: Readonly<Record<string, Bound>>,
): Readonly<Record<string, Bound>> {
  const alternatives = Object.hasOwn(ALTERNATIVES, word) ? ALTERNATIVES[word]! : [];
  const replaced = alternatives.some((name) => Object.hasOwn(found, name));
  const kept = Object.entries(before).filter(([name]) => !(replaced && alternatives.includes(name)));
  return { ...Object.fromEntries(kept), ...found };
}

function unknownWord(word: string, use: Use, site: Site): false {
  const isBody = (RECIPE_BODIES as readonly string[]).includes(word);
  const help = isBody
    ? "give the recipe a parameter for it"
    : (didYouMean(word, Object.keys(RECIPE_SETTINGS)) ?? `it has ${Object.keys(RECIPE_SETTINGS).join(", ")}`);
  const message = isBody ? `the transforms of \`${word}\` can't be set` : `a recipe has no \`${word}\``;
  fail(site, "misplaced-statement", use.target[0]!.span, message, { help });
  return false;
}
