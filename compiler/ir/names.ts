/** What the tensors of training graphs are called. */

/** The value of a state tensor after the step. */
export function nextName(name: string): string {
  return `next.${name}`;
}

/** The gradient of the loss with respect to the parameter of this path. */
export function gradientName(path: string): string {
  return `gradient.${path}`;
}

/** A loss statement's value; `loss` is the weighted sum of all. */
export function lossName(name: string): string {
  return `loss.${name}`;
}

/** The loss statement that an output is of; undefined for others. */
export function lossOfName(output: string): string | undefined {
  return output.startsWith("loss.") ? output.slice("loss.".length) : undefined;
}

/** Uniform numbers for the layer of this path, new in every step. */
export function noiseName(path: string): string {
  return `random.${path}`;
}

export function isNoiseName(name: string): boolean {
  return name.startsWith("random.");
}
