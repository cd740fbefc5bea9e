/** Images made ready for a model, some ahead of its runs. */
import { modelInput, type InputPlan, type ModelInput } from "./model-input.js";
import { nameOf, orProblem, type NamedSource, type ReadImage } from "./source.js";

/** An image as a model wants it, or the one line, naming the image, that says why it can't be. */
export type Prepared<P extends InputPlan = InputPlan> = { readonly name: string } & (
  ModelInput<P> | { readonly error: string }
);

/** Makes an image ready, wherever. Rejects for what concerns all of them. */
export type PrepareImage<P extends InputPlan> = (source: NamedSource) => Promise<Prepared<P>>;

/** What makes images ready: this thread, or others. */
export interface Preparer {
  /**
   * Whether images are made ready while the network runs. A network that has all cores is slowed by more than what others
   * take of one, since all its threads wait for the slowest: for such a one they are made between its runs, on all cores.
   */
  readonly besideRuns: boolean;
  /**
   * @param images how many there will be
   * @throws {DataError} where the transforms can't be run
   */
  readonly begin: <P extends InputPlan>(plan: P, images: number) => PrepareImage<P>;
  /** How many images are asked for before they are needed, at least. */
  readonly ahead: (plan: InputPlan) => number;
  readonly close: () => Promise<void>;
}

/** All is done on this thread, but for what a decoder has of its own. */
export function preparerHere(read: ReadImage, besideRuns = true): Preparer {
  return { besideRuns, begin: (plan) => prepareHere(read, plan), ahead: () => 1, close: async () => undefined };
}

function prepareHere<P extends InputPlan>(read: ReadImage, plan: P): PrepareImage<P> {
  const inputOf = modelInput(plan);
  return async (source) => ({
    name: nameOf(source),
    ...(await orProblem(source, async () => inputOf(await read(source)))),
  });
}

/**
 * Groups of images, made ready in their order.
 *
 * @param groups what goes through the network at once
 */
export async function* inGroups<P extends InputPlan>(
  groups: Iterable<readonly NamedSource[]>,
  preparer: Preparer,
  plan: P,
  images: number,
): AsyncGenerator<readonly Prepared<P>[], void, void> {
  const prepare = preparer.begin(plan, images);
  const ahead = preparer.ahead(plan);
  const coming = groups[Symbol.iterator]();
  const asked: { readonly size: number; readonly made: Promise<readonly Prepared<P>[]> }[] = [];
  let hasMore = true;
  const ask = () => {
    for (let waiting = sum(asked.map(({ size }) => size)); hasMore && (asked.length === 0 || waiting < ahead);) {
      const next = coming.next();
      if (next.done === true) {
        hasMore = false;
        return;
      }
      const made = Promise.all(next.value.map(prepare));
      // It is told when its turn comes.
      made.catch(() => undefined);
      asked.push({ size: next.value.length, made });
      waiting += next.value.length;
    }
  };
  for (;;) {
    if (asked.length === 0) {
      ask();
      if (!preparer.besideRuns) await Promise.all(asked.map(({ made }) => made));
    }
    const next = asked.shift();
    if (next === undefined) return;
    const group = await next.made;
    if (preparer.besideRuns) ask();
    yield group;
  }
}

/** Images in groups of a size; the last may be smaller. */
export function* grouped(images: readonly NamedSource[], size: number): Generator<readonly NamedSource[]> {
  for (let start = 0; start < images.length; start += size) yield images.slice(start, start + size);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
