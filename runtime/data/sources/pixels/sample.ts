/** An image that is there as pixels: it needs no decoder. */
import type { Reader } from "../../reader.js";
import { ImageError, type Image } from "../../../images/image.js";

/** Pixels, and what they are called in messages. */
export interface PixelsReference {
  readonly kind: "pixels";
  readonly name: string;
  readonly image: Image;
}

/** Gives it as it is. */
export const givenImage: Reader<PixelsReference> = {
  open({ name, image }) {
    const { width, height, data } = image;
    if (!(width > 0 && height > 0) || data.length !== width * height * 3) {
      throw new ImageError(`${name}: ${data.length} bytes are no image of ${width}x${height} in red, green and blue`);
    }
    return { size: [height, width], pixels: () => image };
  },
  describe: ({ name }) => name,
};
