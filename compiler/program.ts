/** Files and what they import: their names are resolved when first asked for. */
import type { Declaration, Import, SourceFile } from "../grammar/ast.js";
import { own } from "../grammar/own.js";
import { DECLARATION_WORDS } from "../grammar/tokens.js";
import { Parses, type Parsed } from "./workspace/parses.js";
import { reportSyntaxError } from "./check/unknown-words.js";
import type { Reported, Reporter } from "./diagnostics/reporter.js";
import { didYouMean } from "./diagnostics/suggest.js";
import { BUILT_INS } from "./elaborate/built-ins.js";
import { Environment, type Binding } from "./elaborate/environment.js";
import { evaluate } from "./elaborate/evaluate.js";
import { UNKNOWN, type EvalValue } from "./elaborate/values.js";
import { UnreadableFile, type Host } from "./host.js";
import { STANDARD_FILES } from "./std/files.generated.js";

export interface Module {
  readonly path: string;
  readonly text: string;
  readonly file: SourceFile;
  readonly parsed: Parsed;
  /** Its imports, then its declarations. */
  readonly environment: Environment;
  /** What it declares itself, the first of each name: what others can import. */
  readonly declared: ReadonlyMap<string, Binding>;
}

/** The standard library's files begin so: `std/blocks`. */
const STANDARD = "std/";
/** Steps of the budget that a file takes which is imported, and characters of it that another step is for. */
const STEPS_PER_IMPORT = 50;
const CHARACTERS_PER_STEP = 4;

/** A top-level `let`: evaluated once, while what is wrong in it is told to everyone who reports. */
interface Constant {
  value?: EvalValue;
  /** What was found in it itself. */
  found: readonly Reported[];
  /** Others that it needs. */
  readonly uses: Set<Constant>;
  readonly told: WeakSet<Reporter>;
}

export class Program {
  #reporter: Reporter;
  readonly #host: Host;
  readonly #parses: Parses;
  /** The constant that is being evaluated. */
  #evaluated: Constant | undefined;
  /** Undefined: there is no such file, or it can't be read. */
  readonly #modules = new Map<string, Module | undefined>();
  readonly #texts = new Map<string, string>();
  #files: ReadonlyMap<string, Parsed> | undefined;
  /** Why files that are there can't be read. */
  readonly #problems = new Map<string, string>();

  /** @param parses texts that were parsed before */
  constructor(host: Host, reporter: Reporter, parses = new Parses()) {
    this.#host = host;
    this.#reporter = reporter;
    this.#parses = parses;
  }

  get reporter(): Reporter {
    return this.#reporter;
  }

  /** Does a part of the work, whose problems are reported to another. */
  reportingTo<T>(reporter: Reporter, work: () => T): T {
    const around = this.#reporter;
    this.#reporter = reporter;
    try {
      return work();
    } finally {
      this.#reporter = around;
    }
  }

  /** The text of every file read so far, for code frames. */
  get sources(): ReadonlyMap<string, string> {
    return this.#texts;
  }

  /** Every file read so far, as it was parsed. */
  get files(): ReadonlyMap<string, Parsed> {
    if (this.#files?.size !== this.#texts.size) {
      this.#files = new Map([...this.#modules].flatMap(([path, module]) => (module ? [[path, module.parsed]] : [])));
    }
    return this.#files;
  }

  /** A text that diagnostics point into and that is no file: a target of the command line. */
  addText(path: string, text: string): void {
    this.#texts.set(path, text);
  }

  /** The file, parsed, its syntax errors reported. Undefined where it does not exist. */
  load(path: string): Module | undefined {
    if (this.#modules.has(path)) return this.#modules.get(path);
    const text = this.#read(path);
    if (text !== undefined) return this.add(path, text);
    this.#modules.set(path, undefined);
    return undefined;
  }

  /** Why a file that {@link load} did not give can't be used: "does not exist". */
  problemOf(path: string): string {
    return this.#problems.get(path) ?? "does not exist";
  }

  /** A file that is not the host's: one being edited, or a target of the command line. */
  add(path: string, text: string, outer?: Environment): Module {
    const first = this.#parse(path, text, outer);
    // One after the other, not one inside the other: a chain of imports may be long.
    const found = [first];
    try {
      for (let next = 0; next < found.length; next++) {
        for (const item of found[next]!.file.imports) {
          const imported = this.#follow(item, found[next]!.path);
          if (imported) found.push(imported);
        }
      }
    } finally {
      for (const module of found) for (const item of module.file.imports) this.#import(item, module);
      for (const module of found) {
        for (const [name, binding] of module.declared) {
          if (!module.environment.own(name)) module.environment.define(name, binding);
        }
      }
    }
    return first;
  }

  #read(path: string): string | undefined {
    if (path.startsWith(STANDARD)) return own(STANDARD_FILES, path);
    try {
      return this.#host.read(path);
    } catch (error) {
      if (!(error instanceof UnreadableFile)) throw error;
      this.#problems.set(path, error.message);
      return undefined;
    }
  }

  /** The imported file, if it is there and was not met before. */
  #follow(item: Import, importer: string): Module | undefined {
    const path = resolveImport(importer, item.from.value);
    if (path === undefined || this.#modules.has(path)) return undefined;
    const text = this.#read(path);
    if (text === undefined) {
      this.#modules.set(path, undefined);
      return undefined;
    }
    const steps = path.startsWith(STANDARD) ? 0 : STEPS_PER_IMPORT + text.length / CHARACTERS_PER_STEP;
    this.reporter.budget.spend(steps, item.from.span, []);
    return this.#parse(path, text);
  }

  #parse(path: string, text: string, outer?: Environment): Module {
    const parsed = this.#parses.get(path, text);
    const { file, errors } = parsed;
    for (const error of errors) reportSyntaxError(error, file, this.reporter);
    const declared = new Map<string, Binding>();
    const module: Module = { path, text, file, parsed, environment: new Environment(outer ?? BUILT_INS), declared };
    this.#modules.set(path, module);
    this.#texts.set(path, text);
    for (const declaration of file.declarations) {
      const { text: name, span } = declaration.name;
      if (name === "" || declared.has(name)) continue;
      const isConstant = declaration.keyword === "let" && !declaration.parameters;
      const get = isConstant ? this.#constant(declaration, module) : once(() => toValue(declaration, module));
      declared.set(name, { span, get });
    }
    return module;
  }

  #import(item: Import, module: Module): void {
    const written = item.from.value;
    const path = resolveImport(module.path, written);
    const imported = path === undefined ? undefined : this.#modules.get(path);
    if (path === undefined) {
      this.reporter.report("import-not-found", item.from.span, `"${written}" is a place on another computer`, {
        help: "import a file of this one: a relative path, or an absolute one that begins with a single `/`",
      });
    } else if (!imported && this.#modules.has(path)) {
      const known = Object.keys(STANDARD_FILES).map((file) => file.replace(/\.resnet$/, ""));
      const help = written.startsWith(STANDARD) ? (): string | undefined => didYouMean(written, known) : undefined;
      const shown = path === written ? path : `${path}, imported as "${written}",`;
      this.reporter.report("import-not-found", item.from.span, `the file ${shown} ${this.problemOf(path)}`, { help });
    }
    for (const { name, alias } of item.names) {
      const local = (alias ?? name).text;
      const { span } = alias ?? name;
      if (local === "") continue;
      const declared = imported?.declared.get(name.text);
      if (imported && !declared) {
        const message = `"${written}" declares nothing called \`${name.text}\``;
        this.reporter.report("unknown-import", name.span, message, {
          help: () => didYouMean(name.text, imported.declared.keys()),
        });
      }
      module.environment.define(local, { span, get: () => declared?.get() ?? UNKNOWN });
    }
  }

  /** A top-level `let`, evaluated when first used; one that needs itself is an error. */
  #constant(declaration: Declaration, module: Module): () => EvalValue {
    const constant: Constant = { found: [], uses: new Set(), told: new WeakSet() };
    let busy = false;
    return () => {
      if (!declaration.value) return UNKNOWN;
      this.#evaluated?.uses.add(constant);
      if (constant.value !== undefined) {
        tell(constant, this.#reporter);
        return constant.value;
      }
      const { reporter } = this;
      if (busy) {
        const { text, span } = declaration.name;
        reporter.report("endless-definition", span, `\`${text}\` is defined by itself`);
        return UNKNOWN;
      }
      busy = true;
      const around = this.#evaluated;
      this.#evaluated = constant;
      const before = reporter.reported.length;
      try {
        constant.value = evaluate(declaration.value, { reporter, environment: module.environment, chain: [] });
      } finally {
        constant.found = reporter.reported.slice(before);
        constant.told.add(reporter);
        this.#evaluated = around;
        busy = false;
      }
      return constant.value;
    };
  }
}

function tell(constant: Constant, reporter: Reporter): void {
  if (constant.told.has(reporter)) return;
  constant.told.add(reporter);
  reporter.absorb(constant.found);
  for (const used of constant.uses) tell(used, reporter);
}

function toValue(declaration: Declaration, module: Module): EvalValue {
  return { kind: "declaration", declaration, environment: module.environment, given: new Map() };
}

function once(make: () => EvalValue): () => EvalValue {
  let value: EvalValue | undefined;
  return () => (value ??= make());
}

/**
 * `./blocks` beside `nets/a.resnet` is `nets/blocks.resnet`; the extension may be left out. Undefined for what Windows takes
 * for a path to another computer (`//host/share`): a check must not make connections that a text asks for.
 */
export function resolveImport(importer: string, written: string): string | undefined {
  const withExtension = written.endsWith(".resnet") ? written : `${written}.resnet`;
  if (/^[/\\]{2}|^\\/.test(withExtension)) return undefined;
  if (withExtension.startsWith(STANDARD) || withExtension.startsWith("/")) return withExtension;
  const folder = importer.includes("/") ? importer.slice(0, importer.lastIndexOf("/") + 1) : "";
  const parts: string[] = [];
  for (const part of (folder + withExtension).split("/")) {
    if (part === "." || (part === "" && parts.length > 0)) continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else parts.push(part);
  }
  const path = parts.join("/");
  return path.startsWith("//") ? undefined : path;
}

const DECLARATION = new RegExp(`^(${[...DECLARATION_WORDS, "let"].join("|")}) (\\w+)`, "gm");

/**
 * All names of the standard library, for targets: `ResNet50`, `basic`. A file is only parsed when one of its names is
 * asked for. Of a name that several files declare, each as something else, what one of these keywords declares is meant.
 */
export function standardEnvironment(program: Program, keywords: readonly string[]): Environment {
  const environment = new Environment(BUILT_INS);
  const found = Object.entries(STANDARD_FILES).flatMap(([path, text]) =>
    [...text.matchAll(DECLARATION)].map(([, keyword, name]) => ({ path, keyword: keyword!, name: name! })),
  );
  const rank = ({ keyword }: { readonly keyword: string }): number => Number(keywords.includes(keyword));
  for (const { path, name } of found.sort((a, b) => rank(a) - rank(b))) {
    const binding = (): Binding => program.load(path)!.declared.get(name)!;
    environment.define(name, {
      get: () => binding().get(),
      get span() {
        return binding().span;
      },
    });
  }
  return environment;
}
