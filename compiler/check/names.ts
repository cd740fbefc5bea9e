/**
 * Checks that need no values: names that nothing declares, that are declared twice, that nothing uses. They cover
 * what elaboration does not reach (blocks that no network uses, branches not taken), and are quick enough to run at
 * every keystroke.
 */
import type {
  Argument,
  Body,
  Declaration,
  Expression,
  Identifier,
  SourceFile,
  Span,
  Statement,
  Use,
} from "../../grammar/ast.js";
import type { Reporter } from "../diagnostics/reporter.js";
import { helpForUnknown, NO_LAYER, NOTHING } from "../diagnostics/suggest.js";
import { BUILT_INS } from "../elaborate/built-ins.js";
import { LAYER_WORDS } from "../elaborate/layer-words.js";
import { GROUPS, GROUPS_OF, type WordGroup } from "../vocabulary.js";
import type { Schema, Word } from "../words/schema.js";
import { wordsOf } from "../words/values.js";
import { own } from "../../grammar/own.js";
import { nameElsewhere, type MembersOf } from "./elsewhere.js";
import { Names, type Name } from "./scope.js";

/** What a declaration's body knows without declaring it. */
const GIVEN: Readonly<Record<string, readonly string[]>> = {
  block: ["input", "image", "dialect"],
  network: ["input"],
  detector: ["input", "dialect"],
  shortcut: ["input", "channels", "stride", "changes"],
};

/** In place of a form that is none. */
const NO_WORD: Word = { name: "", doc: "", arguments: {} };

/** Words that layers take as arguments: `bilinear`. */
const CHOICES = Object.values(LAYER_WORDS).flatMap((word) =>
  Object.values(word.arguments).flatMap(({ type }) => wordsOf(type)),
);

/** Is told what names and words mean where they stand. */
export interface NameObserver {
  declares(name: Identifier, as: Name): void;
  /** A name that is known there. */
  refers(at: Span, to: Name): void;
  /** A word of the language. */
  says(at: Span, word: Word): void;
  /** The name of one of its arguments. */
  gives(at: Identifier, argument: string, to: Word): void;
  /** One of the words that stand for themselves as a value of that argument: `bilinear`. */
  chooses(at: Span, argument: string, of: Word): void;
  /** Braces, or a declaration with its parameters, in which these names are known. */
  opens(at: Span, names: Names): void;
}

export function checkNames(file: SourceFile, reporter: Reporter, membersOf: MembersOf, observer?: NameObserver): void {
  new NameChecker(reporter, membersOf, observer).file(file);
}

class NameChecker {
  readonly #reporter: Reporter;
  readonly #membersOf: MembersOf;
  readonly #observer: NameObserver | undefined;
  /** The one whose names are being checked. */
  #around: Declaration | undefined;
  /** Stages are names of the whole network. */
  #network: Names | undefined;
  /** The words of the body. */
  #groups: readonly WordGroup[] = [];
  /** Whether the declaration's statements are layers. */
  #isFlow = false;

  constructor(reporter: Reporter, membersOf: MembersOf, observer?: NameObserver) {
    this.#reporter = reporter;
    this.#membersOf = membersOf;
    this.#observer = observer;
  }

  file(file: SourceFile): void {
    const names = new Names();
    this.#observer?.opens(file.span, names);
    for (const item of file.imports) {
      for (const { name, alias } of item.names) this.#declare(alias ?? name, "import", names);
    }
    for (const declaration of file.declarations) this.#declare(declaration.name, "declaration", names);
    for (const declaration of file.declarations) this.#declaration(declaration, names);
    this.#reportUnused(names);
  }

  #declare(name: Identifier, what: Name["what"], names: Names): void {
    if (name.text === "") return;
    if (name.text === "none") {
      this.#reporter.report("reserved-name", name.span, "`none` says that something is not given", {
        help: "choose another name",
      });
    }
    if (what !== "parameter" && what !== "let" && what !== "variable" && own(LAYER_WORDS, name.text)) {
      this.#reporter.report("reserved-name", name.span, `\`${name.text}\` is a layer's word`, {
        help: "choose another name",
      });
    }
    if (what === "let" && this.#reportShadow(name, names.parent?.find(name.text))) {
      names.declare(name.text, name.span, "given");
      this.#observer?.declares(name, names.own.get(name.text)!);
      return;
    }
    const before = names.declare(name.text, name.span, what);
    this.#observer?.declares(name, names.own.get(name.text)!);
    if (!before || before.what === "given") return;
    this.#reporter.report("duplicate-name", name.span, `\`${name.text}\` is declared twice`, {
      notes: [{ message: "first here", span: before.span }],
    });
  }

  /** A `let` changes nothing: in braces of its own it is another value, which ends with them. */
  #reportShadow(name: Identifier, outer: Name | undefined): boolean {
    if (!outer || outer.what === "given") return false;
    this.#reporter.report("shadowed-name", name.span, `this \`${name.text}\` is another than the one outside`, {
      notes: [{ message: `the ${outer.what} of this name`, span: outer.span }],
      help: "a value can't be changed, and one declared in braces ends with them: choose another name",
    });
    return true;
  }

  #reportUnused(names: Names): void {
    for (const [text, { what, used, span }] of names.own) {
      if (used || text.startsWith("_")) continue;
      if (what === "import") this.#reporter.report("unused-import", span, `nothing uses \`${text}\``);
      else if (what === "parameter" || what === "let") {
        this.#reporter.report("unused-name", span, `nothing uses \`${text}\``, {
          help: `remove it, or call it \`_${text}\` to keep it`,
        });
      }
    }
  }

  #declaration(declaration: Declaration, file: Names): void {
    this.#groups = declaration.keyword === "let" ? [] : GROUPS_OF[declaration.keyword];
    this.#isFlow = own(GIVEN, declaration.keyword) !== undefined;
    this.#around = declaration;
    const parameters = new Names(file);
    this.#observer?.opens(declaration.span, parameters);
    for (const parameter of declaration.parameters ?? []) {
      if (parameter.default) this.#expression(parameter.default, parameters);
      this.#declare(parameter.name, "parameter", parameters);
    }
    if (declaration.value) this.#expression(declaration.value, parameters);
    if (declaration.body) {
      const body = new Names(parameters);
      this.#network = body;
      for (const given of own(GIVEN, declaration.keyword) ?? []) {
        if (!parameters.own.has(given)) body.declare(given, declaration.name.span, "given");
      }
      this.#body(declaration.body, body);
    }
    this.#reportUnused(parameters);
  }

  #body(body: Body, names: Names): void {
    this.#observer?.opens(body.span, names);
    for (const statement of body.statements) this.#statement(statement, names);
    this.#reportUnused(names);
  }

  #statement(statement: Statement, names: Names): void {
    switch (statement.kind) {
      case "let":
        this.#expression(statement.value, names);
        return this.#declare(statement.name, "let", names);
      case "assert":
        this.#expression(statement.condition, names);
        if (statement.message) this.#expression(statement.message, names);
        return;
      case "if":
        this.#expression(statement.condition, names);
        this.#body(statement.then, new Names(names));
        if (statement.else?.kind === "body") this.#body(statement.else, new Names(names));
        else if (statement.else) this.#statement(statement.else, names);
        return;
      case "for": {
        this.#expression(statement.over, names);
        const turn = new Names(names);
        this.#declare(statement.variable, "variable", turn);
        this.#body(statement.body, turn);
        if (statement.label) this.#declare(statement.label, "label", names);
        return;
      }
      case "stage":
        if (statement.stride) this.#expression(statement.stride, names);
        this.#body(statement.body, new Names(names));
        return this.#declareStage(statement.name, names);
      case "input":
        this.#inputShape(statement.shape, names);
        return this.#declare(statement.name, "label", names);
      case "use":
        return this.#use(statement, names);
    }
  }

  /** The two arms of an `if` may each have the stage. */
  #declareStage(name: Identifier, names: Names): void {
    const network = this.#network ?? names;
    if (names === network) this.#declare(name, "stage", network);
    else {
      network.declare(name.text, name.span, "given");
      this.#observer?.declares(name, network.own.get(name.text)!);
    }
  }

  /** Capitals in `[channels, H, W]` are symbols. */
  #inputShape(shape: Expression, names: Names): void {
    const elements = shape.kind === "list" ? shape.elements : [shape];
    for (const element of elements) {
      if (element.kind === "name" && /^[A-Z]/.test(element.text) && !names.find(element.text)) continue;
      this.#expression(element, names);
    }
  }

  #use(use: Use, names: Names): void {
    const [first] = use.target;
    const word = use.target.length === 1 ? (first?.text ?? "") : "";
    const found = this.#word(use, word);
    if (!found && first) this.#target(first, names);
    else if (found && first) this.#observer?.says(first.span, found);
    if (use.through?.[0]) this.#target(use.through[0], names);
    this.#arguments(use.arguments, found, names);
    if (use.on) this.#expression(use.on, names);
    if (use.repeat) this.#expression(use.repeat, names);
    const around = this.#groups;
    if (typeof found?.braces === "object") {
      this.#groups = [{ of: word, kind: "layer", words: found.braces }];
    }
    for (const body of use.bodies) this.#body(body, new Names(names));
    this.#groups = around;
    if (use.label) this.#declare(use.label, "label", names);
  }

  /** The word of the language, unless a name is meant: a block may be called like a setting of a network (`weights`). */
  #word(use: Use, name: string): Word | undefined {
    for (const group of this.#groups) {
      const word = own<Word>(group.words, name);
      if (word && (use.style === "bare" || group !== GROUPS.network)) return word;
    }
    return undefined;
  }

  /** @param of the word that takes them; undefined of something else, which may be a layer by another name. */
  #arguments(args: readonly Argument[], of: Word | undefined, names: Names): void {
    const schema: Schema | undefined = of?.arguments;
    const all = Object.values(schema ?? {});
    const forms = all.map(({ type }) => (type.kind === "form" ? type.forms : undefined)).find((found) => found);
    const words = schema ? all.flatMap(({ type }) => wordsOf(type)) : CHOICES;
    for (const [index, { name, value }] of args.entries()) {
      const argument = name ? own(schema ?? {}, name.text) : (all.find(({ many }) => many) ?? all[index]);
      if (name && argument) this.#observer?.gives(name, name.text, of!);
      if (argument?.type.kind === "paths") {
        this.#stages(value, names);
        continue;
      }
      const called = value.kind === "call" ? value.callee : value;
      if (forms && called.kind === "name" && (Object.hasOwn(forms, called.text) || !names.find(called.text))) {
        // A form that is none of those is reported by elaboration, which knows them.
        const form = own(forms, called.text);
        if (form) this.#observer?.says(called.span, form);
        if (value.kind === "call") this.#arguments(value.arguments, form ?? NO_WORD, names);
        continue;
      }
      const isWord = value.kind === "name" && words.includes(value.text) && (schema || !names.find(value.text));
      // A word that is none of those is reported by elaboration, which knows them.
      const wantsWord = value.kind === "name" && !names.find(value.text) && schema && words.length > 0;
      if (!isWord && !wantsWord) this.#expression(value, names);
      else if (isWord && of) {
        const takes = Object.entries(of.arguments).find(([, { type }]) => wordsOf(type).includes(value.text));
        if (takes) this.#observer?.chooses(value.span, takes[0], of);
      }
    }
  }

  /** `group_norm(32)` as a value. */
  #layerCalled(callee: Expression, names: Names): Word | undefined {
    return callee.kind === "name" && !names.find(callee.text) ? own<Word>(LAYER_WORDS, callee.text) : undefined;
  }

  /** Stages are another file's names: what is none here is one of theirs. */
  #stages(expression: Expression, names: Names): void {
    if (expression.kind === "list") expression.elements.forEach((element) => this.#stages(element, names));
    else if (expression.kind === "member") this.#stages(expression.object, names);
    else if (expression.kind === "name") {
      this.#refer(expression.text, expression.span, names);
    } else this.#expression(expression, names);
  }

  #target(name: Identifier, names: Names): void {
    if (!this.#refer(name.text, name.span, names) && name.text !== "") {
      const words = this.#groups.flatMap((group) => Object.keys(group.words));
      this.#unknown(name.text, name, () => [...names.all(), ...words], this.#isFlow ? NO_LAYER : NOTHING);
    }
  }

  /** Marks the name as used; undefined where none is called so. */
  #refer(text: string, at: Span, names: Names): Name | undefined {
    const found = names.find(text);
    if (!found) return undefined;
    found.used = true;
    this.#observer?.refers(at, found);
    return found;
  }

  #unknown(
    text: string,
    at: { readonly span: Identifier["span"] },
    candidates: () => Iterable<string>,
    what = NOTHING,
  ): void {
    this.#reporter.report("unknown-name", at.span, `${what} \`${text}\``, {
      help: () =>
        (this.#around && nameElsewhere(text, at.span, this.#around, this.#membersOf)) ??
        helpForUnknown(text, candidates),
    });
  }

  #expression(expression: Expression, names: Names): void {
    switch (expression.kind) {
      case "name": {
        if (this.#refer(expression.text, expression.span, names)) return;
        const layer = own<Word>(LAYER_WORDS, expression.text);
        if (layer) this.#observer?.says(expression.span, layer);
        if (BUILT_INS.own(expression.text)) return;
        return this.#unknown(expression.text, expression, () => [...names.all(), ...BUILT_INS.names()]);
      }
      case "string":
        // "depth must be 6n+2, not {depth}" uses depth.
        for (const { 0: all, 1: name = "", index } of expression.text.matchAll(/\{\s*([A-Za-z_]\w*)/g)) {
          const { file, start } = expression.span;
          const end = start + index + all.length;
          this.#refer(name, { file, start: end - name.length, end }, names);
        }
        return;
      case "list":
        return expression.elements.forEach((element) => this.#expression(element, names));
      case "member":
        return this.#expression(expression.object, names);
      case "index":
        this.#expression(expression.object, names);
        return this.#expression(expression.index, names);
      case "call":
        this.#expression(expression.callee, names);
        return this.#arguments(expression.arguments, this.#layerCalled(expression.callee, names), names);
      case "unary":
        return this.#expression(expression.operand, names);
      case "binary":
        this.#expression(expression.left, names);
        return this.#expression(expression.right, names);
      case "conditional":
        this.#expression(expression.condition, names);
        this.#expression(expression.then, names);
        return this.#expression(expression.else, names);
      case "range":
        this.#expression(expression.from, names);
        return this.#expression(expression.to, names);
      case "number":
      case "boolean":
      case "dimensions":
      case "missing":
        return;
    }
  }
}
