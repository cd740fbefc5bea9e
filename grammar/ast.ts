/**
 * The syntax tree of a `.resnet` file: what was written, with the place of every part, and nothing of what it means.
 *
 * The tree is uniform on purpose. A layer (`conv 3x3, 64, /2`), a setting (`shortcuts zero_padding`), a block call
 * (`bottleneck(64) x 3`), a merge (`add { ... } { ... }`) and a part of another network (`backbone.conv1 ..
 * backbone.conv4`) are all one statement kind, {@link Use}; the compiler, not the grammar, knows which is which.
 */
import type { DECLARATION_WORDS } from "./tokens.js";

/** A range of one file, in UTF-16 code units from its start; `end` is exclusive. */
export interface Span {
  readonly file: string;
  readonly start: number;
  readonly end: number;
}

/** A `//` comment. */
export interface Comment {
  /** The text as written, slashes included. */
  readonly text: string;
  readonly span: Span;
}

/** A whole file. Present, though perhaps incomplete, even where there are syntax errors. */
export interface SourceFile {
  readonly kind: "file";
  readonly path: string;
  readonly imports: readonly Import[];
  readonly declarations: readonly Declaration[];
  /** Every comment that is not a doc comment of a declaration, in order. */
  readonly comments: readonly Comment[];
  readonly span: Span;
}

/** `import { basic, bottleneck as narrow } from "std/blocks"` */
export interface Import {
  readonly kind: "import";
  readonly names: readonly ImportName[];
  readonly from: StringLiteral;
  readonly span: Span;
}

/** One name of an import: `bottleneck as narrow`. */
export interface ImportName {
  readonly name: Identifier;
  readonly alias?: Identifier;
  readonly span: Span;
}

/** What a declaration declares. */
export type DeclarationKeyword = (typeof DECLARATION_WORDS)[number];

/**
 * `block basic(width, stride = 1) { ... }`, `network ResNet50 = ResNet(bottleneck, [3, 4, 6, 3])`, or the top-level
 * constant `let cifar10_classes = ["airplane", ...]` (keyword `let`, always with a value; with parameters a function).
 * Exactly one of `body` and `value` is present, unless the source is broken.
 */
export interface Declaration {
  readonly kind: "declaration";
  readonly keyword: DeclarationKeyword | "let";
  readonly name: Identifier;
  /** Undefined where no parameter list is written: `network A = ...` */
  readonly parameters?: readonly Parameter[];
  readonly body?: Body;
  readonly value?: Expression;
  /** The text of the `///` lines before it, slashes and one space removed, joined by newlines. */
  readonly doc?: string;
  /** Where those lines stand. */
  readonly docSpan?: Span;
  /** From the keyword (not the doc comment) to the end. */
  readonly span: Span;
}

/** A parameter of a declaration, with its default where it has one: `stride = 1`. */
export interface Parameter {
  readonly name: Identifier;
  readonly default?: Expression;
  readonly span: Span;
}

/** A name where it is written. */
export interface Identifier {
  readonly kind: "identifier";
  readonly text: string;
  readonly span: Span;
}

/** `{ ... }` */
export interface Body {
  readonly kind: "body";
  readonly statements: readonly Statement[];
  readonly span: Span;
}

/** What can stand in a {@link Body}. */
export type Statement = Let | Assert | If | For | Stage | Input | Use;

/** `let planes = width * 4` */
export interface Let {
  readonly kind: "let";
  readonly name: Identifier;
  readonly value: Expression;
  readonly span: Span;
}

/** `assert (depth - 2) % 6 == 0, "depth must be 6n+2, got {depth}"` */
export interface Assert {
  readonly kind: "assert";
  readonly condition: Expression;
  readonly message?: Expression;
  readonly span: Span;
}

/** `if changes { ... } else if ... { ... } else { ... }` */
export interface If {
  readonly kind: "if";
  readonly condition: Expression;
  readonly then: Body;
  readonly else?: Body | If;
  readonly span: Span;
}

/** `for i in 1 .. n { ... }`; also over a list. Labelled it gives the list of what its turns gave: `maps = for ...`. */
export interface For {
  readonly kind: "for";
  readonly label?: Identifier;
  readonly variable: Identifier;
  readonly over: Expression;
  readonly body: Body;
  readonly span: Span;
}

/** `stage conv3 /2 { ... }`; `head { ... }` is the stage of that name. */
export interface Stage {
  readonly kind: "stage";
  readonly name: Identifier;
  readonly stride?: Expression;
  readonly body: Body;
  readonly span: Span;
}

/** `input image 3x224x224`, `input image [channels, H, W]` */
export interface Input {
  readonly kind: "input";
  readonly name: Identifier;
  /** A dimensions literal or a list. */
  readonly shape: Expression;
  readonly span: Span;
}

/**
 * Everything else, see the top of the file:
 *
 *     [label =] target[.member ...] [.. through] [bare arguments | (arguments)] [on expression] { body }* [x repeat]
 */
export interface Use {
  readonly kind: "use";
  /** `c4 = ...` names the tensor that this gives. */
  readonly label?: Identifier;
  /** `conv`, `basic`, or a dotted path: `backbone.conv5`. At least one. */
  readonly target: readonly Identifier[];
  /** The second path of `backbone.conv1 .. backbone.conv4`. */
  readonly through?: readonly Identifier[];
  readonly arguments: readonly Argument[];
  /** How the arguments are written: `conv 3x3, 64`, `basic(64)`, or not at all: `relu`. */
  readonly style: "bare" | "call" | "none";
  /** `rpn on features { ... }` */
  readonly on?: Expression;
  /** `add { ... } { ... }` */
  readonly bodies: readonly Body[];
  /** `basic(64) x counts[0]` */
  readonly repeat?: Expression;
  readonly span: Span;
}

/** `64`, `groups: 32`, or the stride shorthand `/2`, which is `stride: 2` (then `name` is undefined). */
export interface Argument {
  readonly name?: Identifier;
  readonly value: Expression;
  readonly strideShorthand?: true;
  readonly span: Span;
}

/** What has a value. */
export type Expression =
  | NumberLiteral
  | StringLiteral
  | BooleanLiteral
  | DimensionsLiteral
  | ListLiteral
  | NameExpression
  | MemberExpression
  | IndexExpression
  | CallExpression
  | UnaryExpression
  | BinaryExpression
  | ConditionalExpression
  | RangeExpression
  | MissingExpression;

/** `64`, `0.1`, `1e-4`, `32k` (32,000), `2M` (2,000,000) */
export interface NumberLiteral {
  readonly kind: "number";
  readonly value: number;
  /** As written, for the printer. */
  readonly text: string;
  readonly span: Span;
}

/** `"..."`; escapes are `\"`, `\\`, `\n`, `\t`. `{name}` inside a message is left as it is here. */
export interface StringLiteral {
  readonly kind: "string";
  readonly value: string;
  readonly text: string;
  readonly span: Span;
}

/** `true`, `false` */
export interface BooleanLiteral {
  readonly kind: "boolean";
  readonly value: boolean;
  readonly span: Span;
}

/** `3x3`, `3x224x224`, `3xHxW`: numbers, and symbols that begin with a capital. */
export interface DimensionsLiteral {
  readonly kind: "dimensions";
  readonly values: readonly (number | string)[];
  readonly text: string;
  readonly span: Span;
}

/** `[3, 4, 6, 3]` */
export interface ListLiteral {
  readonly kind: "list";
  readonly elements: readonly Expression[];
  readonly span: Span;
}

/** A name that is used: `width`. */
export interface NameExpression {
  readonly kind: "name";
  readonly text: string;
  readonly span: Span;
}

/** `input.channels`, `backbone.conv4` */
export interface MemberExpression {
  readonly kind: "member";
  readonly object: Expression;
  readonly member: Identifier;
  readonly span: Span;
}

/** `counts[0]` */
export interface IndexExpression {
  readonly kind: "index";
  readonly object: Expression;
  readonly index: Expression;
  readonly span: Span;
}

/** `floor(a / 2)`, `ResNet(basic, [2, 2, 2, 2])`, `bottleneck(groups: 32)` */
export interface CallExpression {
  readonly kind: "call";
  readonly callee: Expression;
  readonly arguments: readonly Argument[];
  readonly span: Span;
}

/** `-x`, `not x` */
export interface UnaryExpression {
  readonly kind: "unary";
  readonly operator: "-" | "not";
  readonly operand: Expression;
  readonly span: Span;
}

/** An operator between two operands. */
export type BinaryOperator = "+" | "-" | "*" | "/" | "%" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "and" | "or";

/** `depth - 2`, `a and b` */
export interface BinaryExpression {
  readonly kind: "binary";
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
  readonly span: Span;
}

/** `if a then b else c` */
export interface ConditionalExpression {
  readonly kind: "conditional";
  readonly condition: Expression;
  readonly then: Expression;
  readonly else: Expression;
  readonly span: Span;
}

/** `1 .. n`, both ends included; empty where the second is smaller. */
export interface RangeExpression {
  readonly kind: "range";
  readonly from: Expression;
  readonly to: Expression;
  readonly span: Span;
}

/** Stands where the parser found no expression; a syntax error was reported already, so it is passed over in silence. */
export interface MissingExpression {
  readonly kind: "missing";
  readonly span: Span;
}
