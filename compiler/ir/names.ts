/** What the tensors of training graphs are called. */

/** The value of a state tensor after the step. */
export function nextName(name: string): string {
  return `next.${name}`;
}

/** The gradient of the loss with respect to the parameter of this path. */
export function gradientName(path: string): string {
  return `gradient.${path}`;
}

/** Uniform numbers for the layer of this path, new in every step. */
export function noiseName(path: string): string {
  return `random.${path}`;
}

export function isNoiseName(name: string): boolean {
  return name.startsWith("random.");
}
