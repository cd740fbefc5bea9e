/**
 * Sizes of tensor dimensions: numbers, or expressions in symbols, in a canonical form.
 *
 * A symbolic size is a sum of integer multiples of products of atoms, plus a constant. An atom is a symbol (`N`, `H`,
 * or a size found at run time) or the floor of such a sum over a whole number, which is what strides make of a size.
 * Every function here gives the canonical form, so two sizes that the rules below can prove equal have the same key:
 * `ceil(ceil(H/2)/2)` and `ceil(H/4)` are both `floor((H+3)/4)`. Symbols stand for whole numbers of at least 1, and no side is
 * longer than 2^31 - 1.
 *
 * Some expressions have no short form: `max_pool 3x3, /2   upsample 3`, again and again, doubles its own each time. Beyond
 * {@link MOST_ATOMS} an expression is cut: a symbol stands for it, the same for equal ones, whose value only running the model
 * tells.
 */
import { digest } from "./digest.js";

/** A dimension's size: a number, or an expression in symbols. */
export type Dim = number | SymbolicDim;

/** An expression with at least one symbol; made by the functions of this file only. */
export interface SymbolicDim {
  readonly constant: number;
  /** @internal Sorted by key, none with coefficient 0, at least one. */
  readonly terms: readonly Term[];
  /** Equal for equal expressions. */
  readonly key: string;
  /** @internal Atoms in it, those in floors included. */
  readonly atoms: number;
  /** @internal Between which numbers it lies, whatever its symbols stand for. */
  readonly range: Range;
}

interface Range {
  readonly min: number;
  readonly max: number;
}

/** No expression of a sensible network has more than a few. */
const MOST_ATOMS = 64;
const LONGEST_SIDE = 2 ** 31 - 1;
/** Of an atom's key; longer ones are shortened to what differs as surely. */
const LONGEST_KEY = 160;

interface Term {
  readonly coefficient: number;
  /** Multiplied; sorted by key. */
  readonly atoms: readonly Atom[];
  readonly key: string;
}

type Atom = SymbolAtom | FloorAtom;

interface SymbolAtom {
  readonly kind: "symbol";
  readonly name: string;
  readonly key: string;
  /** Of a size found at run time: what it is not beyond, where that is known. */
  readonly most?: Dim;
  readonly range: Range;
}

interface FloorAtom {
  readonly kind: "floor";
  readonly numerator: SymbolicDim;
  readonly divisor: number;
  readonly key: string;
}

/** A size with a name: `N`, `H`. Symbols of the same name are equal. */
export function symbol(name: string): SymbolicDim {
  return ofAtom({ kind: "symbol", name, key: name, range: ANY_SIZE });
}

const ANY_SIZE: Range = { min: 1, max: LONGEST_SIDE };

let unknowns = 0;

/** A size that only running the model tells (how many boxes are kept), at most `most`: equal to nothing but itself. */
export function unknownSize(name: string, most?: Dim): SymbolicDim {
  unknowns += 1;
  const key = `${name}#${unknowns}`;
  return ofAtom({ kind: "symbol", name, key, range: ANY_SIZE, ...(most === undefined ? {} : { most }) });
}

export function isSymbolic(dim: Dim): dim is SymbolicDim {
  return typeof dim !== "number";
}

export function add(a: Dim, b: Dim): Dim {
  return sum(constantOf(a) + constantOf(b), [...termsOf(a), ...termsOf(b)]);
}

export function sub(a: Dim, b: Dim): Dim {
  return add(a, mul(b, -1));
}

export function mul(a: Dim, b: Dim): Dim {
  const scaled = (dim: Dim, factor: number): Term[] =>
    termsOf(dim).map((term) => ({ ...term, coefficient: term.coefficient * factor }));
  const products = termsOf(a).flatMap((left) =>
    termsOf(b).map((right) => product(left.coefficient * right.coefficient, [...left.atoms, ...right.atoms])),
  );
  return sum(constantOf(a) * constantOf(b), [...scaled(a, constantOf(b)), ...scaled(b, constantOf(a)), ...products]);
}

/** floor(dim / divisor) for a whole divisor of at least 1. */
export function floorDiv(dim: Dim, divisor: number): Dim {
  if (!Number.isInteger(divisor) || divisor < 1) throw new RangeError(`a size is divided by ${divisor}`);
  if (divisor === 1) return dim;
  // Whole multiples of the divisor leave the floor, so that what stays has coefficients and a constant below it.
  const outside: Term[] = [];
  const inside: Term[] = [];
  for (const term of termsOf(dim)) {
    const whole = Math.floor(term.coefficient / divisor);
    const rest = term.coefficient - whole * divisor;
    if (whole !== 0) outside.push({ ...term, coefficient: whole });
    if (rest !== 0) inside.push({ ...term, coefficient: rest });
  }
  const constant = constantOf(dim);
  const whole = Math.floor(constant / divisor);
  return add(sum(whole, outside), properFloor(inside, constant - whole * divisor, divisor));
}

/** ceil(dim / divisor) for a whole divisor of at least 1. */
export function ceilDiv(dim: Dim, divisor: number): Dim {
  return floorDiv(add(dim, divisor - 1), divisor);
}

export function equalDims(a: Dim, b: Dim): boolean {
  return isSymbolic(a) ? isSymbolic(b) && a.key === b.key : a === b;
}

export function sameShape(a: readonly Dim[], b: readonly Dim[]): boolean {
  return a.length === b.length && a.every((dim, axis) => equalDims(dim, b[axis]!));
}

/** Symbols by name, as what they become. */
export type Bindings = Readonly<Record<string, Dim>>;

/** The expression with symbols replaced; those without a binding stay. */
export function bindDim(dim: Dim, bindings: Bindings): Dim {
  return replaceSymbols(dim, ({ name }) => (Object.hasOwn(bindings, name) ? bindings[name] : undefined));
}

/** The expression with sizes found at run time as large as they can be; those that may be any size stay. */
export function atMost(dim: Dim): Dim {
  return replaceSymbols(dim, ({ most }) => (most === undefined ? undefined : atMost(most)));
}

function replaceSymbols(dim: Dim, by: (symbol: SymbolAtom) => Dim | undefined): Dim {
  if (!isSymbolic(dim)) return dim;
  const replaced = (atom: Atom): Dim =>
    atom.kind === "symbol" ? (by(atom) ?? ofAtom(atom)) : floorDiv(replaceSymbols(atom.numerator, by), atom.divisor);
  return dim.terms.reduce<Dim>(
    (total, term) => add(total, term.atoms.map(replaced).reduce(mul, term.coefficient)),
    dim.constant,
  );
}

/** The number that the size is, every symbol bound; throws a RangeError that names one which is not. */
export function evaluate(dim: Dim, bindings: Readonly<Record<string, number>> = {}): number {
  const bound = bindDim(dim, bindings);
  if (isSymbolic(bound)) throw new RangeError(`the size ${formatDim(bound)} is not known before the model runs`);
  return bound;
}

/** Names of the symbols in it, each once. */
export function symbolsOf(dim: Dim): readonly string[] {
  const names = termsOf(dim)
    .flatMap((term) => term.atoms)
    .flatMap((atom) => (atom.kind === "symbol" ? [atom.name] : symbolsOf(atom.numerator)));
  return [...new Set(names)];
}

/** Whether a size found at run time is in it. */
export function isUnknown(dim: Dim): boolean {
  return isSymbolic(dim) && dim.key.includes("#");
}

/** Between which numbers the size lies, whatever its symbols (at least 1) stand for; not always the narrowest. */
export function bounds(dim: Dim): Range {
  return isSymbolic(dim) ? dim.range : { min: dim, max: dim };
}

/** How much there is to go through in it: 1 for a number. */
export function complexity(dim: Dim): number {
  return isSymbolic(dim) ? dim.atoms : 1;
}

/** `floor((H+1)/2)`, `512*H*W`, `64`. */
export function formatDim(dim: Dim): string {
  if (!isSymbolic(dim)) return String(dim);
  const parts = dim.terms.map(({ coefficient, atoms }, index) => {
    const sign = coefficient < 0 ? "-" : index === 0 ? "" : "+";
    const size = Math.abs(coefficient) === 1 ? [] : [String(Math.abs(coefficient))];
    return sign + [...size, ...atoms.map(formatAtom)].join("*");
  });
  const constant = dim.constant === 0 ? "" : dim.constant > 0 ? `+${dim.constant}` : String(dim.constant);
  return parts.join("") + constant;
}

/** `[N, 64, 56, 56]` */
export function formatShape(shape: readonly Dim[]): string {
  return `[${shape.map(formatDim).join(", ")}]`;
}

// ---- canonical form

function constantOf(dim: Dim): number {
  return isSymbolic(dim) ? dim.constant : dim;
}

function termsOf(dim: Dim): readonly Term[] {
  return isSymbolic(dim) ? dim.terms : [];
}

function rangeOf(constant: number, terms: readonly Term[]): Range {
  let [min, max] = [constant, constant];
  for (const term of terms) {
    const range = term.atoms.map(atomBounds).reduce(productBounds, { min: 1, max: 1 });
    const ends = [range.min * term.coefficient, range.max * term.coefficient];
    min += Math.min(...ends);
    max += Math.max(...ends);
  }
  return { min, max };
}

function ofAtom(atom: Atom): SymbolicDim {
  return sum(0, [product(1, [atom])]) as SymbolicDim;
}

function product(coefficient: number, atoms: readonly Atom[]): Term {
  const sorted = atoms.toSorted(byKey);
  return { coefficient, atoms: sorted, key: sorted.map((atom) => atom.key).join("*") };
}

/** Like terms joined, zeros dropped, sorted; a number where no symbol is left. */
function sum(constant: number, terms: readonly Term[]): Dim {
  const joined = new Map<string, Term>();
  for (const term of terms) {
    const coefficient = (joined.get(term.key)?.coefficient ?? 0) + term.coefficient;
    joined.set(term.key, { ...term, coefficient });
  }
  const kept = [...joined.values()].filter((term) => term.coefficient !== 0).sort(byKey);
  if (kept.length === 0) return constant + 0;
  const key = [...kept.map((term) => `${term.coefficient}*${term.key}`), String(constant)].join("+");
  const atoms = kept.flatMap((term) => term.atoms).reduce((count, atom) => count + atomsOf(atom), 0);
  const range = rangeOf(constant, kept);
  const exact = Number.isSafeInteger(constant) && kept.every((term) => Number.isSafeInteger(term.coefficient));
  return atoms <= MOST_ATOMS && exact ? { constant, terms: kept, key, atoms, range } : cut(key, range);
}

/** A symbol in place of an expression; `#` in its key says that only running the model tells it. */
function cut(key: string, range: Range): SymbolicDim {
  const name = `size_${digest(key)}`;
  return ofAtom({ kind: "symbol", name, key: `${name}#`, range });
}

function atomsOf(atom: Atom): number {
  return atom.kind === "symbol" ? 1 : 1 + atom.numerator.atoms;
}

function floorKey(numerator: SymbolicDim, divisor: number): string {
  const key = `floor((${numerator.key})/${divisor})`;
  if (key.length <= LONGEST_KEY) return key;
  return `floor:${digest(key)}${key.includes("#") ? "#" : ""}`;
}

/** floor((terms + constant) / divisor) where all coefficients and the constant are from 0 to divisor - 1. */
function properFloor(terms: readonly Term[], constant: number, divisor: number): Dim {
  if (terms.length === 0) return 0;
  // floor((g*y + c) / (g*m)) = floor((y + floor(c/g)) / m)
  const common = terms.reduce((g, term) => greatestCommonDivisor(g, term.coefficient), divisor);
  if (common > 1) {
    const reduced = terms.map((term) => ({ ...term, coefficient: term.coefficient / common }));
    return floorDiv(sum(Math.floor(constant / common), reduced), divisor / common);
  }
  // floor((floor(x/m) + a) / n) = floor((x + a*m) / (m*n)) for every whole a, symbols or not.
  const nested = terms.find(isSingleFloor);
  if (nested !== undefined) {
    const { numerator, divisor: inner } = nested.atoms[0] as FloorAtom;
    const others = sum(
      constant,
      terms.filter((term) => term !== nested),
    );
    if (Number.isSafeInteger(inner * divisor)) return floorDiv(add(numerator, mul(others, inner)), inner * divisor);
  }
  const numerator = sum(constant, terms) as SymbolicDim;
  return ofAtom({ kind: "floor", numerator, divisor, key: floorKey(numerator, divisor) });
}

function isSingleFloor({ coefficient, atoms }: Term): boolean {
  return coefficient === 1 && atoms.length === 1 && atoms[0]!.kind === "floor";
}

function byKey(a: { readonly key: string }, b: { readonly key: string }): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function atomBounds(atom: Atom): Range {
  if (atom.kind === "symbol") return atom.range;
  const { min, max } = atom.numerator.range;
  return { min: Math.floor(min / atom.divisor), max: Math.floor(max / atom.divisor) };
}

function productBounds(a: Range, b: Range): Range {
  // 0 * Infinity is 0 here: a factor that is 0 makes the product 0, however large the other.
  const times = (x: number, y: number): number => (x === 0 || y === 0 ? 0 : x * y);
  const ends = [times(a.min, b.min), times(a.min, b.max), times(a.max, b.min), times(a.max, b.max)];
  return { min: Math.min(...ends), max: Math.max(...ends) };
}

function formatAtom(atom: Atom): string {
  if (atom.kind === "symbol") return atom.name;
  const inner = formatDim(atom.numerator);
  return `floor(${/^\w+$/.test(inner) ? inner : `(${inner})`}/${atom.divisor})`;
}
