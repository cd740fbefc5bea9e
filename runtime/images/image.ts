/** Height and width in pixels. */
export type Size = readonly [height: number, width: number];

/** A decoded image. */
export interface Image {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue of each pixel, row by row; 0 to 255. */
  readonly data: Uint8Array;
}

/** An image that can't be used; the message is one clear line that names the file. */
export class ImageError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ImageError";
  }
}
