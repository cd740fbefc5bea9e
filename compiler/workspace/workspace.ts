/**
 * Sources that are checked again and again: by `resnetc check --watch`, by an editor at every keystroke. What nothing has
 * changed of is neither parsed nor elaborated again.
 *
 * What is kept is what came of each declaration that can be built: it holds as long as all that its names lead to is as it
 * was (depends.ts). Everything else, the names of a file above all, is quick, and looked at anew.
 */
import { isStackOverflow } from "../../grammar/depth.js";
import { Exhausted, type Cancellation } from "../budget.js";
import { buildable, checkDeclaration, checkNamesOf } from "../check/index.js";
import { checkRenames } from "../check/renames.js";
import type { Diagnostic } from "../diagnostics/diagnostic.js";
import { Reporter, type Reported } from "../diagnostics/reporter.js";
import { Trace } from "../elaborate/trace.js";
import type { DeclarationValue } from "../elaborate/values.js";
import type { Host } from "../host.js";
import { LIMITS } from "../limits.js";
import type { Model, WeightMap } from "../model.js";
import { Program, type Module } from "../program.js";
import { dependenciesOf, movedSpan, namesBeside, type FileOf } from "./depends.js";
import type { Findings, SourceText } from "./findings.js";
import { Parses, type Parsed } from "./parses.js";

/** What came of a declaration that can be built. */
export interface Outcome {
  /** The file in which it stands. */
  readonly path: string;
  readonly name: string;
  /** A network's; undefined where there are errors. */
  readonly model: Model | undefined;
  /** What its statements gave, where somebody asked for it. */
  readonly trace: Trace | undefined;
  /** The files as they were then: places in the model and in the trace are theirs. */
  readonly files: ReadonlyMap<string, Parsed>;
}

interface Kept extends Outcome {
  readonly key: string;
  /** Of what was suggested; undefined where nothing was wrong. */
  readonly names: string | undefined;
  readonly reported: readonly Reported[];
  readonly steps: number;
}

/** What a check gives: the problems, and what came of the declarations. */
export interface Checked {
  readonly findings: Findings;
  readonly outcomes: readonly Outcome[];
  /** Every file that took part. */
  readonly files: ReadonlyMap<string, Parsed>;
}

/** How a workspace works. */
export interface WorkspaceOptions {
  /** Keeps what every statement gave. */
  readonly trace?: boolean;
}

export class Workspace {
  readonly #host: Host;
  readonly #trace: boolean;
  readonly #parses = new Parses();
  /** By file, then by name. */
  readonly #kept = new Map<string, Map<string, Kept>>();

  constructor(host: Host, { trace = false }: WorkspaceOptions = {}) {
    this.#host = host;
    this.#trace = trace;
  }

  /** The file as it was parsed last. */
  parse(path: string, text: string): Parsed {
    return this.#parses.get(path, text);
  }

  /** The path is no longer of interest: what is known of it is dropped. */
  forget(path: string): void {
    this.#parses.forget(path);
    this.#kept.delete(path);
  }

  /**
   * Every problem of these files, in the order of their places.
   *
   * @throws CancelledError where somebody says that it is to stop
   */
  check(files: readonly (string | SourceText)[], cancellation: Cancellation = {}): Checked {
    const steps = this.checking(files, cancellation);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
    }
  }

  /** The same in pieces, for whoever has something else to do between them: each is the work of one declaration at most. */
  *checking(files: readonly (string | SourceText)[], cancellation: Cancellation = {}): Generator<void, Checked> {
    const reporter = new Reporter(cancellation);
    const program = new Program(this.#host, reporter, this.#parses);
    const paths = files.map((file) => (typeof file === "string" ? file : file.path));
    for (const [path, text] of edited(files)) {
      reporter.budget.renew();
      guarded(reporter, path, () => program.add(path, text));
    }
    const outcomes: Outcome[] = [];
    for (const path of paths) {
      reporter.budget.renew();
      const { made: module, isEnd } = attempt(reporter, path, () => program.load(path));
      if (module) yield* this.#module(module, program, cancellation, outcomes);
      else if (!isEnd) {
        const place = { file: path, start: 0, end: 0 };
        reporter.report("unknown-target", place, `the file ${path} ${program.problemOf(path)}`);
      }
      yield;
    }
    reporter.budget.renew();
    const { files: filesNow } = program;
    // A network that is not there may be the one that a name map is for.
    if (!reporter.hasErrors) {
      const models = outcomes.flatMap((each) => (each.model ? [modelNow(each.model, each, filesNow)] : []));
      guarded(reporter, paths[0] ?? "", () => checkRenames(models, new Set(paths), reporter));
    }
    return { findings: findingsOf(reporter, program, paths), outcomes, files: filesNow };
  }

  *#module(module: Module, program: Program, cancellation: Cancellation, outcomes: Outcome[]): Generator<void, void> {
    const { reporter } = program;
    const { path } = module;
    const before = this.#kept.get(path);
    const now = new Map<string, Kept>();
    const named = guarded(reporter, path, () => {
      checkNamesOf(module, program);
      return buildable(module);
    });
    // One budget for the file, of which each declaration takes what it needs.
    let left = LIMITS.steps - reporter.budget.spent;
    for (const value of named ?? []) {
      const { text: name } = value.declaration.name;
      const found = this.#outcome(value, module, program, { cancellation, left, before: before?.get(name) });
      if (found.kept) now.set(name, found.kept);
      outcomes.push(found.outcome);
      left -= found.steps;
      if (found.isEnd) break;
      yield;
    }
    this.#kept.set(path, now);
  }

  #outcome(value: DeclarationValue, { path }: Module, program: Program, how: How): Found {
    const { reporter: around } = program;
    const { text: name } = value.declaration.name;
    const fileOf: FileOf = (each) => program.load(each)?.parsed;
    const dependencies = dependenciesOf(path, name, fileOf);
    const { key } = dependencies;
    const { before } = how;
    const isSame = before?.key === key && before.steps <= how.left;
    if (isSame && (before.names === undefined || before.names === namesBeside(dependencies))) {
      around.absorb(before.reported.map((each) => movedReport(each, before, fileOf)));
      return { outcome: before, kept: before, steps: before.steps, isEnd: false };
    }
    const reporter = new Reporter(how.cancellation, around, how.left);
    const trace = this.#trace ? new Trace() : undefined;
    const elaborate = (): Model | undefined => checkDeclaration(value, program, trace);
    const { made: model, isEnd } = program.reportingTo(reporter, () => attempt(reporter, path, elaborate));
    if (reporter.hasOmitted) {
      // Of so many that they are only counted, each is reported where it is counted.
      attempt(around, path, elaborate);
    } else around.absorb(reporter.reported);
    const { reported } = reporter;
    const steps = reporter.budget.spent;
    const outcome = { path, name, model, trace, files: program.files };
    const names = reported.length === 0 ? undefined : namesBeside(dependencies);
    const kept = isEnd || reporter.hasOmitted ? undefined : { ...outcome, key, names, reported: [...reported], steps };
    return { outcome: kept ?? outcome, kept, steps, isEnd };
  }
}

interface How {
  readonly cancellation: Cancellation;
  /** Of the file's budget. */
  readonly left: number;
  readonly before: Kept | undefined;
}

interface Found {
  readonly outcome: Outcome;
  /** Undefined: it is of no use for another check. */
  readonly kept: Kept | undefined;
  readonly steps: number;
  /** The budget is used up. */
  readonly isEnd: boolean;
}

function edited(files: readonly (string | SourceText)[]): Map<string, string> {
  return new Map(files.flatMap((file) => (typeof file === "string" ? [] : [[file.path, file.text] as const])));
}

function findingsOf(reporter: Reporter, program: Program, paths: readonly string[]): Findings {
  const rank = new Map(paths.map((path, index) => [path, index]));
  const rankOf = ({ span }: Diagnostic): number => rank.get(span.file) ?? paths.length;
  const { diagnostics, errorCount, warningCount } = reporter;
  const ordered = [...diagnostics].sort((a, b) => rankOf(a) - rankOf(b) || a.span.start - b.span.start);
  return { diagnostics: ordered, errorCount, warningCount, sources: program.sources };
}

/** Does what may use up the budget, or the stack of a machine that has little; both are reported, and end it. */
function attempt<T>(reporter: Reporter, file: string, work: () => T): { readonly made?: T; readonly isEnd: boolean } {
  try {
    return { made: work(), isEnd: false };
  } catch (error) {
    if (error instanceof Exhausted) return { isEnd: true };
    if (!isStackOverflow(error)) throw error;
    const message = "this is nested more deeply than the stack of this machine allows";
    reporter.report("nesting-too-deep", { file, start: 0, end: 0 }, message, { always: true });
    return { isEnd: true };
  }
}

/** The same; undefined where it ended. */
export function guarded<T>(reporter: Reporter, file: string, work: () => T): T | undefined {
  return attempt(reporter, file, work).made;
}

function movedReport({ place, diagnostic }: Reported, { files }: Outcome, fileOf: FileOf): Reported {
  const move = (span: Reported["place"]): Reported["place"] => movedSpan(span, files.get(span.file), fileOf(span.file));
  return {
    place: move(place),
    diagnostic: {
      ...diagnostic,
      span: move(diagnostic.span),
      notes: diagnostic.notes.map((note) => (note.span ? { ...note, span: move(note.span) } : note)),
      chain: diagnostic.chain.map((link) => ({ ...link, span: move(link.span) })),
    },
  };
}

/** The model with the statements of its name maps where they are now: several networks may have one map. */
function modelNow(model: Model, { files }: Outcome, now: ReadonlyMap<string, Parsed>): Model {
  const isMoved = [...files].some(([path, parsed]) => now.get(path) !== parsed);
  if (!isMoved || model.weightMaps.length === 0) return model;
  const move = (map: WeightMap): WeightMap => ({
    ...map,
    renames: map.renames.map((rename) =>
      rename.statements
        ? { ...rename, statements: rename.statements.map((at) => movedSpan(at, files.get(at.file), now.get(at.file))) }
        : rename,
    ),
  });
  return { ...model, weightMaps: model.weightMaps.map(move) };
}
