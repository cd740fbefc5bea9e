/** What a check may still take. Everything that elaborates draws on one of these, so that any text ends, and soon. */
import type { Span } from "../grammar/ast.js";
import type { Frame } from "./diagnostics/diagnostic.js";
import { LIMITS } from "./limits.js";

/** Ends the elaboration of one network; the diagnostic was reported. */
export class Abandoned extends Error {}

/** Ends that of the whole file; the diagnostic was reported. */
export class Exhausted extends Abandoned {}

/** Thrown out of a check that somebody asked to stop. */
export class CancelledError extends Error {
  constructor() {
    super("the check was cancelled");
    this.name = "AbortError";
  }
}

/** How a check can be ended from outside. */
export interface Cancellation {
  /** Asked before each file and every few hundred steps. A check is synchronous: within it only time-outs change this. */
  readonly signal?: AbortSignal | undefined;
  /** Asked as often; true ends the check. It may look at a clock, or at memory that another thread writes to. */
  readonly shouldStop?: (() => boolean) | undefined;
}

/** Told of what is too large: the diagnostic is kept however many there are, since it says why the run ends. */
export type TooLarge = (
  span: Span,
  message: string,
  details: { readonly chain: readonly Frame[]; readonly always: true; readonly help?: string },
) => void;

/** Steps between two looks at whether to go on. */
const STEPS_BETWEEN_POLLS = 512;

export class Budget {
  readonly #tooLarge: TooLarge;
  readonly #cancellation: Cancellation;
  #whole: number;
  #left: number;
  #nextPoll: number;
  #depth = 0;

  constructor(tooLarge: TooLarge, cancellation: Cancellation = {}, steps: number = LIMITS.steps) {
    this.#tooLarge = tooLarge;
    this.#cancellation = cancellation;
    this.#whole = this.#left = this.#nextPoll = steps;
  }

  /** Another file, with a budget of its own. */
  renew(): void {
    this.#whole = this.#left = LIMITS.steps;
    this.#depth = 0;
    this.poll();
  }

  /**
   * Takes so many steps for what stands here.
   *
   * @throws Exhausted where there are no more, which is reported; CancelledError
   */
  spend(steps: number, span: Span, chain: readonly Frame[]): void {
    this.#left -= steps;
    if (this.#left < this.#nextPoll) this.#look(span, chain);
  }

  /** Steps that were taken since the budget was new. */
  get spent(): number {
    return this.#whole - this.#left;
  }

  #look(span: Span, chain: readonly Frame[]): void {
    if (this.#left < 0) {
      this.#tooLarge(span, "this takes more work than any network needs", {
        chain: outermost(chain),
        always: true,
        help: "the limits are in docs/language.md; look for repetitions that multiply: lists, loops, arguments",
      });
      throw new Exhausted();
    }
    this.poll();
  }

  /** @throws CancelledError if the check is to end */
  poll(): void {
    this.#nextPoll = this.#left - STEPS_BETWEEN_POLLS;
    const { signal, shouldStop } = this.#cancellation;
    if (signal?.aborted || shouldStop?.()) throw new CancelledError();
  }

  /** One level further into expressions and bodies; {@link leave} goes back. */
  enter(span: Span, chain: readonly Frame[]): void {
    this.#depth++;
    if (this.#depth <= LIMITS.evaluationDepth) return;
    this.#tooLarge(span, "this needs more values and bodies inside one another than any network", {
      chain: outermost(chain),
      always: true,
    });
    throw new Exhausted();
  }

  leave(): void {
    this.#depth--;
  }

  /** How deep it is, for {@link returnTo}: what throws has not left what it entered. */
  get depth(): number {
    return this.#depth;
  }

  returnTo(depth: number): void {
    this.#depth = depth;
  }
}

/** The chain as far as it helps: what goes wrong deep inside began at the top. */
function outermost(chain: readonly Frame[]): readonly Frame[] {
  return chain.length <= 6 ? chain : [...chain.slice(0, 4), ...chain.slice(-2)];
}
