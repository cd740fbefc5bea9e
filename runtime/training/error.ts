/** Training that can't begin or go on; the message is one clear line. */
export class TrainingError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "TrainingError";
  }
}

/** What can't be trained so, as a {@link TrainingError}. */
export function asTrainingError<T>(build: () => T): T {
  try {
    return build();
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError)
      throw new TrainingError(error.message, { cause: error });
    throw error;
  }
}
