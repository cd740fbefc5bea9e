/** Files and what they import: parsed once, their names resolved when first asked for. */
import type { Declaration, Import, SourceFile } from "../grammar/ast.js";
import { parse, type ParseResult } from "../grammar/parse.js";
import type { Reporter } from "./diagnostics/reporter.js";
import { didYouMean } from "./diagnostics/suggest.js";
import { Environment } from "./elaborate/environment.js";
import { evaluate } from "./elaborate/evaluate.js";
import { UNKNOWN, type EvalValue } from "./elaborate/values.js";
import type { Host } from "./host.js";
import { STANDARD_FILES } from "./std/files.generated.js";

export interface Module {
  readonly path: string;
  readonly text: string;
  readonly file: SourceFile;
  /** Its imports, then its declarations. */
  readonly environment: Environment;
}

/** The standard library's files begin so: `std/blocks`. */
const STANDARD = "std/";

export class Program {
  readonly reporter: Reporter;
  readonly #host: Host;
  readonly #modules = new Map<string, Module | undefined>();
  readonly #texts = new Map<string, string>();

  constructor(host: Host, reporter: Reporter) {
    this.#host = host;
    this.reporter = reporter;
  }

  /** The text of every file read so far, for code frames. */
  get sources(): ReadonlyMap<string, string> {
    return this.#texts;
  }

  /** A text that diagnostics point into and that is no file: a target of the command line. */
  addText(path: string, text: string): void {
    this.#texts.set(path, text);
  }

  /** The file, parsed, its syntax errors reported. Undefined where it does not exist. */
  load(path: string): Module | undefined {
    if (this.#modules.has(path)) return this.#modules.get(path);
    const text = path.startsWith(STANDARD) ? STANDARD_FILES[path] : this.#host.read(path);
    return text === undefined ? undefined : this.add(path, text);
  }

  /** A file that is not the host's: one being edited, or a target of the command line. */
  add(path: string, text: string, outer?: Environment): Module {
    const { file, errors } = text === STANDARD_FILES[path] ? parseStandard(path, text) : parse(text, path);
    for (const error of errors) {
      this.reporter.reportSyntax(error.code, error.span, error.message, {
        help: error.help,
        fix: error.fix,
        notes: error.related ?? [],
      });
    }
    const module: Module = { path, text, file, environment: new Environment(outer) };
    this.#modules.set(path, module);
    this.#texts.set(path, text);
    this.#declare(module);
    return module;
  }

  #declare(module: Module): void {
    for (const item of module.file.imports) this.#import(item, module);
    for (const declaration of module.file.declarations) {
      const name = declaration.name.text;
      if (name === "" || module.environment.own(name)) continue;
      module.environment.define(name, {
        span: declaration.name.span,
        get:
          declaration.keyword === "let"
            ? this.#constant(declaration, module)
            : once(() => toValue(declaration, module)),
      });
    }
  }

  #import(item: Import, module: Module): void {
    const path = resolveImport(module.path, item.from.value);
    const imported = this.load(path);
    if (!imported) {
      const known = Object.keys(STANDARD_FILES).map((file) => file.replace(/\.resnet$/, ""));
      const help = item.from.value.startsWith(STANDARD) ? didYouMean(item.from.value, known) : undefined;
      const shown = path === item.from.value ? path : `${path}, imported as "${item.from.value}",`;
      this.reporter.report("import-not-found", item.from.span, `the file ${shown} does not exist`, { help });
    }
    for (const { name, alias } of item.names) {
      const local = (alias ?? name).text;
      const { span } = alias ?? name;
      if (local === "") continue;
      const declared = imported?.file.declarations.some((declaration) => declaration.name.text === name.text);
      if (imported && !declared) {
        const names = imported.file.declarations.map((declaration) => declaration.name.text);
        const help = didYouMean(name.text, names);
        const message = `"${item.from.value}" declares nothing called \`${name.text}\``;
        this.reporter.report("unknown-import", name.span, message, { help });
      }
      const get = (): EvalValue => (declared ? imported?.environment.own(name.text)?.get() : undefined) ?? UNKNOWN;
      module.environment.define(local, { span, get });
    }
  }

  /** A top-level `let`, evaluated when first used; one that needs itself is an error. */
  #constant(declaration: Declaration, module: Module): () => EvalValue {
    let value: EvalValue | undefined;
    let busy = false;
    return () => {
      if (value !== undefined || !declaration.value) return value ?? UNKNOWN;
      if (busy) {
        const { text, span } = declaration.name;
        this.reporter.report("endless-definition", span, `\`${text}\` is defined by itself`);
        return UNKNOWN;
      }
      busy = true;
      value = evaluate(declaration.value, { reporter: this.reporter, environment: module.environment, chain: [] });
      busy = false;
      return value;
    };
  }
}

const parsedStandard = new Map<string, ParseResult>();

/** The standard library's files are parsed once in a process: trees never change. */
function parseStandard(path: string, text: string): ParseResult {
  const known = parsedStandard.get(path);
  if (known) return known;
  const result = parse(text, path);
  parsedStandard.set(path, result);
  return result;
}

function toValue(declaration: Declaration, module: Module): EvalValue {
  return { kind: "declaration", declaration, environment: module.environment, given: new Map() };
}

function once(make: () => EvalValue): () => EvalValue {
  let value: EvalValue | undefined;
  return () => (value ??= make());
}

/** `./blocks` beside `nets/a.resnet` is `nets/blocks.resnet`; the extension may be left out. */
export function resolveImport(importer: string, written: string): string {
  const withExtension = written.endsWith(".resnet") ? written : `${written}.resnet`;
  if (withExtension.startsWith(STANDARD) || withExtension.startsWith("/")) return withExtension;
  const folder = importer.includes("/") ? importer.slice(0, importer.lastIndexOf("/") + 1) : "";
  const parts: string[] = [];
  for (const part of (folder + withExtension).split("/")) {
    if (part === "." || (part === "" && parts.length > 0)) continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else parts.push(part);
  }
  return parts.join("/");
}

/** All names of the standard library, for targets: `ResNet50`, `basic`. */
export function standardEnvironment(program: Program): Environment {
  const environment = new Environment();
  for (const path of Object.keys(STANDARD_FILES)) {
    const module = program.load(path);
    for (const { name } of module?.file.declarations ?? []) {
      const binding = module?.environment.own(name.text);
      if (binding) environment.define(name.text, binding);
    }
  }
  return environment;
}
