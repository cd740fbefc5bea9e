import type { MixingWay } from "./mixing.js";

/** Zhang et al., arXiv:1710.09412: images are averaged, weighted by their shares. */
export const mixup: MixingWay = {
  draw(share) {
    const [own, others] = [Math.fround(share), Math.fround(1 - share)];
    return {
      share,
      mix(image, other) {
        for (let i = 0; i < image.length; i++) {
          image[i] = Math.fround(own * image[i]!) + Math.fround(others * other[i]!);
        }
      },
    };
  },
};
