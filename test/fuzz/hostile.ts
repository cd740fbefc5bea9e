/**
 * Programs that are made to take time and memory: what doubles, what is shared, loops in loops, nesting, words that every
 * object has, in every kind of body. Small texts, all of them; the same seed gives the same program.
 */
import { generator } from "./mutate.js";

export const PROTOTYPE_WORDS = [
  "constructor",
  "__proto__",
  "toString",
  "hasOwnProperty",
  "valueOf",
  "__defineGetter__",
  "isPrototypeOf",
];

/** One program of up to some 10 kB. */
export function hostileProgram(seed: number): string {
  const random = generator(seed);
  const pick = <T>(items: readonly T[]): T => items[random(items.length)]!;
  const many = (count: number, make: (index: number) => string, between = " "): string =>
    Array.from({ length: count }, (_, index) => make(index)).join(between);
  const count = (): number => pick([1, 2, 3, 12, 40, 300]);
  const bound = (): string => pick(["2", "9", "99", "999", "99999", "1e9", "n0"]);
  const word = (): string =>
    random(6) === 0 ? pick(PROTOTYPE_WORDS) : pick(["a0", "a1", "n0", "b0", "l0", "s0", "F", "G", "i", "k"]);

  const value = (depth: number): string => {
    if (depth <= 0) return pick(["1", "0", "3x3", '"x{l0}"', "true", word(), word(), "1e15", "9007199254740993"]);
    const next = (): string => value(depth - 1);
    return pick([
      () => `[${many(1 + random(4), next, ", ")}]`,
      () => `${next()} ${pick(["+", "-", "*", "/", "%", "==", "!=", "<", "and"])} ${next()}`,
      () => `(${next()})[${next()}]`,
      () => `${word()}(${many(random(4), next, ", ")})`,
      () => `${word()}.${word()}`,
      () => `(if ${next()} then ${next()} else ${next()})`,
      () => `${bound()} .. ${bound()}`,
      () => `${pick(["sum", "len", "max"])}(${next()}, ${next()})`,
      next,
    ])();
  };

  /** `let a1 = a0 + a0`, again and again. */
  const chain = (name: string): string => {
    const step = pick([
      (i: number) => `${name}${i} + ${name}${i}`,
      (i: number) => `[${name}${i}, ${name}${i}]`,
      (i: number) => `[${name}${i}] + [${name}${i}]`,
      (i: number) => `[${name}${i}]`,
      (i: number) => `F(${name}${i}, ${name}${i})`,
      (i: number) => `${name}${i} == ${name}${i}`,
    ]);
    const lines = Array.from({ length: count() }, (_, i) => `let ${name}${i + 1} = ${step(i)}`);
    return [
      `let ${name}0 = ${pick(["[1]", '"abc"', "1 .. 99999", "G", '["a", "b"]'])}`,
      ...(random(4) ? lines : lines.reverse()),
    ].join("\n");
  };

  const layer = (depth: number): string =>
    pick([
      () => `conv ${value(1)}, ${value(1)}`,
      () => `conv 3x3, ${pick(["8", "1e15", "100000"])}`,
      () => "max_pool 3x3, /2 upsample 3",
      () => `max_pool 2, /2 x ${bound()}`,
      () => `relu x ${bound()}`,
      () => `${word()}(${value(1)}, ${value(1)})`,
      () => word(),
      () => `residual { ${statement(depth - 1)} }`,
      () => `add { ${statement(depth - 1)} } { ${statement(depth - 1)} }`,
      () => `${word()} = shared { ${statement(depth - 1)} } ${word()} on [${word()}, ${word()}]`,
      () => `shortcuts ${word()}`,
      () => `labels ${value(1)}`,
      () => `output ${many(1 + random(20), word, ", ")}`,
    ])();

  const setting = (): string =>
    pick([
      () => `rename "${"{s}".repeat(random(9))}*", "a"`,
      () => `ignore ${value(1)}`,
      () => `subtract ${value(1)}`,
      () => `optimizer ${word()}(${value(1)})`,
      () => `learning_rate 0.1, ${word()}(${value(1)})`,
      () => `boxes ${word()}`,
      () => `train { ${word()} ${value(1)} }`,
      () => `${word()} ${value(1)}`,
    ])();

  const statement = (depth: number, inside: () => string = () => layer(depth)): string => {
    if (depth <= 0) return inside();
    const next = (): string => statement(depth - 1, inside);
    return pick([
      () => `for ${word()} in ${bound()} .. ${bound()} { ${next()} }`,
      () => `for i in ${value(1)} { ${next()} ${next()} }`,
      () => `let ${word()} = ${value(2)}`,
      () => `if ${value(1)} { ${next()} } else { ${next()} }`,
      () => `assert ${value(1)}, "${many(count(), () => `{${word()}}`, "")}"`,
      () => `stage ${word()} /2 { ${next()} }`,
      inside,
    ])();
  };

  const declaration = (): string =>
    pick([
      () =>
        `network ${word()} { input i ${pick(["3x8x8", "3xHxW", "1xHx8"])} ${many(1 + random(4), () => statement(3))} }`,
      () => `block ${word()}(a0, b0 = ${value(1)}) { ${many(1 + random(3), () => statement(2))} }`,
      () => `network ${word()} = ${word()}(${word()}(1), ${word()}(2))`,
      () => `shortcut ${word()} { ${statement(2)} }`,
      () =>
        `${pick(["preprocess", "weights", "recipe", "dialect"])} ${word()} { ${many(1 + random(3), () => statement(3, setting))} }`,
      () => `let ${word()} = ${value(3)}`,
      () => `let ${word()} = ${"(".repeat(count())}${value(1)}${")".repeat(count())}`,
      () => `import { ${word()} } from "./${pick(["hostile", "other", ...PROTOTYPE_WORDS])}"`,
      () => `/// ${"doc ".repeat(count())}\nlet ${word()} = ${many(count(), () => value(0), " + ")}`,
    ])();

  const start = ["network F(a, b) { input i 3x8x8 relu }", "block G { relu }", "shortcut s0 { residual { relu } }"];
  const body = Array.from({ length: 1 + random(6) }, () =>
    random(3) === 0 ? chain(pick(["a", "b", "l", "n"])) : declaration(),
  );
  return [...start, ...body].join("\n");
}
