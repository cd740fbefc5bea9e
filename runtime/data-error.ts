/** Data that can't be used as asked; the message is one clear line that names the folder, the file or the setting. */
export class DataError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "DataError";
  }
}
