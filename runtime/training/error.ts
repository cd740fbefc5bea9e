/** Training that can't begin or go on; the message is one clear line. */
export class TrainingError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "TrainingError";
  }
}
