/** `weights` declarations: name maps, and those that they include. */
import type { Expression, Span, Use } from "../../grammar/ast.js";
import { LIMITS } from "../limits.js";
import type { Rename, WeightMap } from "../model.js";
import { compileRename, PatternError, patternVariables } from "../weights/pattern.js";
import { choice, number, numbers, size, text, words } from "../words/schema.js";
import { declaration, declarations } from "./declared.js";
import { open } from "./declarations.js";
import { readPreprocess } from "./preprocess.js";
import { readSettings, type NamedSetting, type Setting } from "./settings.js";
import { fail, type Site } from "./site.js";
import type { DeclarationValue } from "./values.js";

/** The words of a `weights` declaration. */
export const WEIGHTS_WORDS = words({
  format: {
    doc: "How each layer's tensors are laid out and called.",
    arguments: { framework: choice("Whose.", ["pytorch", "caffe", "detectron2"]) },
  },
  rename: {
    doc: "A path of ours, a layer's or a tensor's, and what they call it; `{i}` and `{2 * j + 1}` stand for numbers.",
    arguments: {
      ours: text("Pattern of our paths."),
      theirs: text("The same on their side."),
      reshape: numbers("Lengths of a tensor's axes there: 0 keeps one, -1 is what is left.", {
        optional: true,
        min: -1,
      }),
    },
  },
  include: {
    doc: "Another name map, with what the names begin with here.",
    arguments: {
      maps: declarations("A weights declaration, or a list of them.", "weights"),
      ours: text("What our paths begin with.", { default: "" }),
      theirs: text("What their names begin with.", { default: "" }),
    },
  },
  ignore: {
    doc: "Tensors on their side that may be there and are not needed.",
    arguments: { pattern: text("A part of their names.") },
  },
  stride_in: {
    doc: "Which convolution of a bottleneck has its stride in these weights, which no shape tells.",
    arguments: { kernel: size("Its kernel: `1x1` or `3x3`.", { min: 1 }) },
  },
  epsilon: {
    doc: "What these weights' batch norms add to the variance; by default what ours do.",
    arguments: { value: number("Added to the variance.", { min: 0 }) },
  },
  trained_with: {
    doc: "The preprocessing that these weights were trained with.",
    arguments: { preprocess: declaration("A preprocess declaration.", "preprocess") },
  },
});

type Statement = NamedSetting<typeof WEIGHTS_WORDS>;

/** A name map before it is known whether another includes it. */
export interface MapDraft {
  readonly renames: readonly Rename[];
  /** Where maps are included under prefixes: the names that nothing renames, which have the prefixes all the same. */
  readonly others: readonly Rename[];
  readonly ignore: readonly string[];
  readonly said: Said;
}

/** What is said once in a map. */
type Said = Partial<Pick<WeightMap, "format" | "strideIn" | "epsilon" | "trainedWith">>;

/** What both sides' names begin with. */
export interface Prefixes {
  readonly ours: string;
  readonly theirs: string;
}

/** The record of a `weights` declaration. Undefined after an error. */
export function readWeightMap(value: DeclarationValue, site: Site): WeightMap | undefined {
  const draft = readMapDraft(value, site);
  return draft && finishedMap(value, draft);
}

export function finishedMap(value: DeclarationValue, { renames, others, ignore, said }: MapDraft): WeightMap {
  const name = value.alias ?? value.declaration.name.text;
  return { name, format: "pytorch", renames: [...renames, ...others], ignore, ...said };
}

export function readMapDraft(value: DeclarationValue, site: Site, depth = 0): MapDraft | undefined {
  const { name } = value.declaration;
  if (depth > LIMITS.nesting) {
    fail(site, "endless-definition", name.span, `\`${name.text}\` includes itself`);
    return undefined;
  }
  const opened = open(value, site);
  if (!opened) return undefined;
  const own: MapDraft[] = [];
  const all: MapDraft[] = [];
  const included: Included[] = [];
  for (const setting of readSettings(opened, WEIGHTS_WORDS, site).inOrder) {
    if (setting.word === "include") {
      const maps = readInclude(setting, site, depth);
      included.push(...maps);
      all.push(...maps.map(({ draft }) => draft));
    } else {
      const draft = readStatement(setting, site);
      own.push(draft);
      all.push(draft);
    }
  }
  return {
    renames: all.flatMap(({ renames }) => renames),
    others: all.flatMap(({ others }) => others),
    ignore: all.flatMap(({ ignore }) => ignore),
    said: mergedSaid(Object.assign({}, ...own.map(({ said }) => said)) as Said, included, site),
  };
}

const SAYS_NOTHING: MapDraft = { renames: [], others: [], ignore: [], said: {} };

/** What one statement other than `include` says. */
function readStatement(setting: Exclude<Statement, { readonly word: "include" }>, site: Site): MapDraft {
  const says = (said: Said): MapDraft => ({ ...SAYS_NOTHING, said });
  switch (setting.word) {
    case "format":
      return says({ format: setting.values.framework });
    case "stride_in":
      return says({ strideIn: setting.values.kernel });
    case "epsilon":
      return says({ epsilon: setting.values.value });
    case "trained_with": {
      const trainedWith = readPreprocess(setting.values.preprocess, site);
      return says(trainedWith ? { trainedWith } : {});
    }
    case "ignore":
      return { ...SAYS_NOTHING, ignore: [setting.values.pattern] };
    case "rename": {
      const rename = readRename(setting, site);
      return { ...SAYS_NOTHING, renames: rename ? [rename] : [] };
    }
  }
}

function readRename({ values, use }: Setting<typeof WEIGHTS_WORDS.rename>, site: Site): Rename | undefined {
  const { ours, theirs, reshape } = values;
  if (reshape && !(reshape.every(Number.isSafeInteger) && reshape.filter((length) => length === -1).length <= 1)) {
    fail(site, "out-of-range", argumentOf(use, "reshape", 2)?.span ?? use.span, "`reshape` has the lengths of axes", {
      help: "whole numbers: 0 keeps a length, and one -1 is what is left",
    });
    return undefined;
  }
  if (!isUnderstood({ ours, theirs }, use, 0, site)) return undefined;
  return { ours, theirs, ...(reshape && { reshape }), statements: [use.span] };
}

/** Whether both patterns can be compiled; what is wrong is reported where it stands. `first`: the place of the first among the arguments. */
function isUnderstood({ ours, theirs }: Prefixes, use: Use, first: number, site: Site): boolean {
  site.reporter.budget.spend(2 + (ours.length + theirs.length) / 16, use.span, site.chain);
  try {
    compileRename(ours, theirs);
    return true;
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    const written = argumentOf(use, error.side, first + (error.side === "ours" ? 0 : 1));
    fail(site, "bad-pattern", written ? placeIn(written, error) : use.span, error.message);
    return false;
  }
}

/** The expression of an argument, by its name or its place. */
function argumentOf(use: Use, name: string, place: number): Expression | undefined {
  const named = use.arguments.find((argument) => argument.name?.text === name);
  return (named ?? use.arguments.filter((argument) => !argument.name)[place])?.value;
}

/** The part of a string that is meant, where the string is written as it is. */
function placeIn(written: Expression, { start, end }: PatternError): Span {
  const { span } = written;
  const isPlain = written.kind === "string" && span.end - span.start === written.value.length + 2;
  if (!isPlain || end > written.value.length) return span;
  return { file: span.file, start: span.start + 1 + start, end: span.start + 1 + end };
}

// Maps that include others

interface Included {
  readonly draft: MapDraft;
  readonly name: string;
  readonly use: Use;
}

/** `include torchvision_resnet, ours: "body.", theirs: "backbone."` */
function readInclude(
  { values, use }: Setting<typeof WEIGHTS_WORDS.include>,
  site: Site,
  depth: number,
): readonly Included[] {
  const prefixes: Prefixes = values;
  for (const [place, side] of (["ours", "theirs"] as const).entries()) {
    if (!/\{\s*\*\s*\}/.test(prefixes[side])) continue;
    const at = argumentOf(use, side, place + 1)?.span ?? use.span;
    fail(site, "bad-pattern", at, `\`${side}\` of \`include\` can't have {*}: names begin with one text`);
    return [];
  }
  const isPrefixed = prefixes.ours !== "" || prefixes.theirs !== "";
  if (isPrefixed && !isUnderstood({ ours: `${prefixes.ours}{*}`, theirs: `${prefixes.theirs}{*}` }, use, 1, site)) {
    return [];
  }
  const holes = new Set(patternVariables(prefixes.ours, "ours"));
  return values.maps.flatMap((map) => {
    const { text: name } = map.declaration.name;
    const draft = readMapDraft(map, site, depth + 1);
    if (!draft) return [];
    const clash = draft.renames.flatMap(({ ours }) => patternVariables(ours, "ours")).find((each) => holes.has(each));
    if (clash === undefined) return [{ draft: prefixedMap(draft, prefixes, site, use.span), name, use }];
    const at = argumentOf(use, "ours", 1)?.span ?? use.span;
    fail(site, "bad-pattern", at, `{${clash}} stands for another number in \`${name}\``, {
      help: "call this one by another letter",
    });
    return [];
  });
}

/** The same for names that begin with something more. */
export function prefixedMap(draft: MapDraft, { ours, theirs }: Prefixes, site: Site, statement?: Span): MapDraft {
  const statements = statement ? [statement] : [];
  const prefixed = (rename: Rename): Rename => {
    site.reporter.budget.spend(1 + (rename.ours.length + rename.theirs.length) / 64, statement ?? site.at!, site.chain);
    return {
      ...rename,
      ours: ours + rename.ours,
      theirs: beforeEach(theirs, rename.theirs, draft.said.format),
      statements: [...statements, ...(rename.statements ?? [])],
    };
  };
  const others = ours === theirs ? [] : [{ ours: `${ours}{*}`, theirs: `${theirs}{*}`, statements }];
  return {
    renames: draft.renames.map(prefixed),
    others: [...draft.others.map(prefixed), ...others],
    ignore: draft.ignore.map((pattern) => theirs.replaceAll(/\{[^{}]*\}/g, "*") + pattern),
    said: draft.said,
  };
}

/** Caffe's batch norms are several layers, `bn_conv1 + scale_conv1`: each of them is called so. */
function beforeEach(prefix: string, theirs: string, format: WeightMap["format"] = "pytorch"): string {
  if (prefix === "" || format === "pytorch") return prefix + theirs;
  const layers = theirs.split(/\+(?![^{]*\})/);
  return layers.map((layer) => prefix + layer.trim()).join(" + ");
}

const ONCE: Readonly<Record<keyof Said, string>> = {
  format: "format",
  strideIn: "stride_in",
  epsilon: "epsilon",
  trainedWith: "trained_with",
};

/** What is said once: by the map itself, else by those that it includes, which have to agree. */
function mergedSaid(own: Said, included: readonly Included[], site: Site): Said {
  const said: Record<string, unknown> = { ...own };
  for (const key of Object.keys(ONCE) as (keyof Said)[]) {
    // A map's own word for the rest is as good as theirs; how tensors are laid out can't be changed from outside.
    if (own[key] !== undefined && key !== "format") continue;
    for (const { draft, name, use } of included) {
      const theirs = draft.said[key];
      said[key] ??= theirs;
      if (theirs === undefined || JSON.stringify(theirs) === JSON.stringify(said[key])) continue;
      fail(
        site,
        "conflicting-settings",
        use.span,
        `\`${name}\` has another \`${ONCE[key]}\` than what stands before it`,
        {
          help: key === "format" ? "a file has one format" : `say here which it is: \`${ONCE[key]} ...\``,
        },
      );
    }
  }
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
}
