/** What the page and its compiler say to each other. */
import type { Summary } from "../../compiler/summary.js";

/** A mistake in the text, with its place in UTF-16 code units. */
export interface Problem {
  readonly from: number;
  readonly to: number;
  readonly severity: "error" | "warning" | "info";
  readonly message: string;
  readonly help?: string;
  readonly fixes: readonly Fix[];
}

/** A change that mends a problem. */
export interface Fix {
  readonly title: string;
  readonly changes: readonly Change[];
}

export interface Change {
  readonly from: number;
  readonly to: number;
  readonly insert: string;
}

/** What is told of a text, all at once. */
export interface Told {
  readonly problems: readonly Problem[];
  readonly tokens: readonly { readonly from: number; readonly to: number; readonly type: string }[];
  readonly hints: readonly { readonly at: number; readonly text: string; readonly more: string }[];
  /** Absent where no network can be drawn: what was drawn before stays. */
  readonly drawing?: { readonly svg: string; readonly summaries: readonly Summary[] };
  /** Paths of the layers that the statement at the cursor gives. */
  readonly layers: readonly string[];
  /** What is wrong with the network to compare with. */
  readonly compareProblem?: string;
}

export interface Completed {
  readonly from: number;
  readonly to: number;
  readonly options: readonly {
    readonly label: string;
    readonly kind: string;
    readonly detail: string;
    readonly info?: string;
    readonly snippet?: string;
    readonly rank: number;
    readonly changes: readonly Change[];
  }[];
}

/** Functions of the compiler's worker. */
export interface Compiler {
  update(text: string, cursor: number, compare: string): Told;
  complete(text: string, cursor: number): Completed;
  hover(text: string, at: number): { readonly from: number; readonly to: number; readonly text: string } | undefined;
  format(text: string): string | undefined;
  /** With random weights. */
  compile(): Promise<{ readonly name: string; readonly bytes: Uint8Array } | undefined>;
  standard(): readonly string[];
}

/** A call, and its answer. */
export interface Call {
  readonly id: number;
  readonly method: keyof Compiler;
  readonly given: readonly unknown[];
}

export type Answer = { readonly id: number } & ({ readonly value: unknown } | { readonly error: string });

type Later<T> = {
  readonly [K in keyof T]: T[K] extends (...given: infer G) => infer R ? (...given: G) => Promise<Awaited<R>> : never;
};

/** The worker as an object whose functions are asynchronous. */
export function compilerOf(worker: Worker): Later<Compiler> {
  const waiting = new Map<number, { done(value: unknown): void; failed(error: Error): void }>();
  let last = 0;
  worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
    const call = waiting.get(data.id);
    waiting.delete(data.id);
    if ("error" in data) call?.failed(new Error(data.error));
    else call?.done(data.value);
  });
  return new Proxy({} as Later<Compiler>, {
    get:
      (_, method: keyof Compiler) =>
      (...given: unknown[]) =>
        new Promise((done, failed) => {
          waiting.set(++last, { done, failed });
          worker.postMessage({ id: last, method, given } satisfies Call);
        }),
  });
}
