import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { decodeImage } from "../../../../runtime/images/decode.js";
import type { Image } from "../../../../runtime/images/image.js";
import type { Interpolation } from "../../../../runtime/images/resample.js";
import { augmented, OPERATIONS, type OperationName } from "../../../../runtime/images/transforms/augment-operations.js";
import type { TransformSettings } from "../../../../runtime/images/transforms/index.js";
import { preparePipeline, deterministicTransforms } from "../../../../runtime/images/transforms/pipeline.js";
import { SPACE as RAND } from "../../../../runtime/images/transforms/rand-augment.js";
import { SPACE as TRIVIAL } from "../../../../runtime/images/transforms/trivial-augment.js";
import { randomStream } from "../../../../runtime/random.js";

interface Case {
  readonly policy: "rand_augment" | "trivial_augment";
  readonly image: "photo" | "levels";
  readonly bins: number;
  readonly bin: number;
  readonly interpolation: Interpolation;
  readonly fill: readonly number[];
  /** The magnitude, the digest with it, and where it is signed with the opposite one. */
  readonly operations: Readonly<Record<OperationName, readonly [number, string, string?]>>;
}

// Made by test/oracle/augment_golden.py with Pillow and torchvision.
const GOLDEN = path.join(import.meta.dirname, "../../../golden");
const { cases } = JSON.parse(readFileSync(path.join(GOLDEN, "data/augment.json"), "utf8")) as {
  readonly cases: readonly Case[];
};

const photo = await decodeImage(path.join(GOLDEN, "images/rgb.jpg.rgb.png"));
const levels: Image = {
  width: 41,
  height: 30,
  data: Uint8Array.from({ length: 41 * 30 * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % 41, Math.floor(i / 3 / 41)];
    return [100 + ((x * 7 + y * 3) % 5) * 11, 77, (x * 41 + y * y * 5) % 256][i % 3]!;
  }),
};
const IMAGES = { photo, levels };
const SPACES = { rand_augment: RAND, trivial_augment: TRIVIAL };

function digest({ data }: Pick<Image, "data">): string {
  return createHash("sha256").update(data).digest("hex").slice(0, 16);
}

describe("every operation gives torchvision's pixels of Pillow's images", () => {
  const titled = cases.flatMap(({ operations, ...how }) => {
    const { policy, image, bin, bins, interpolation } = how;
    const title = `${policy}, ${image}, ${bin} of ${bins}, ${interpolation}`;
    return Object.entries(operations).map(([name, expected]) => [name as OperationName, title, how, expected] as const);
  });
  it.each(titled)("%s: %s", (name, _, { policy, image: shown, bin, bins, interpolation, fill }, expected) => {
    const image = IMAGES[shown];
    const [magnitude, ...digests] = expected;
    const magnitudes = SPACES[policy]([image.height, image.width])[name];
    expect(magnitudes?.of(bin, bins) ?? 0).toBe(magnitude);
    expect(magnitudes?.signed === true).toBe(digests.length === 2);
    const found = digests.map((_, at) => {
      return digest(OPERATIONS[name](image, at === 0 ? magnitude : -magnitude, { interpolation, fill }));
    });
    expect(found).toEqual(digests);
  });
});

const KEY = { seed: 1, epoch: 0, index: 0 };

async function run(transforms: readonly TransformSettings[], key = KEY, channels: 1 | 3 = 3): Promise<Image> {
  const size = [photo.height, photo.width] as const;
  const pipeline = preparePipeline(transforms, { from: size, channels });
  const [out] = await pipeline.run({ size, pixels: () => photo }, key);
  return out as Image;
}

/** What each operation with each sign makes of the photograph. */
function outcomes(bin: number): ReadonlyMap<string, string> {
  const space = RAND([photo.height, photo.width]);
  const sampling = { interpolation: "nearest", fill: [0, 0, 0] } as const;
  const names = Object.keys(OPERATIONS) as OperationName[];
  return new Map(
    names.flatMap((name) => {
      const magnitude = space[name]?.of(bin, 31) ?? 0;
      const signs = space[name]?.signed ? [1, -1] : [1];
      return signs.map((sign) => [digest(OPERATIONS[name](photo, sign * magnitude, sampling)), `${name} ${sign}`]);
    }),
  );
}

describe("rand_augment", () => {
  it("draws each operation equally often, and each sign", async () => {
    const names = outcomes(9);
    expect(names.size).toBe(14 + 9);
    const counts = new Map<string, number>();
    for (let index = 0; index < 2800; index++) {
      const name = names.get(digest(await run([{ kind: "rand_augment", num_ops: 1 }], { ...KEY, index })))!;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    expect(counts.size).toBe(names.size);
    for (const [name, count] of counts) {
      const expected = counts.has(`${name.split(" ")[0]!} -1`) ? 100 : 200;
      // Four standard deviations.
      expect(Math.abs(count - expected), name).toBeLessThan(4 * Math.sqrt(expected));
    }
  });

  it("does as many as it is told, one on what the one before gave", async () => {
    const random = randomStream(`augment ${KEY.seed} ${KEY.epoch} ${KEY.index} 0`);
    const how = { bin: 9, bins: 31, interpolation: "nearest", fill: [0] } as const;
    let image: Image = photo;
    for (let i = 0; i < 3; i++) image = augmented(image, RAND, how, random);
    expect(digest(await run([{ kind: "rand_augment", num_ops: 3 }]))).toBe(digest(image));
    expect(digest(await run([{ kind: "rand_augment", num_ops: 0 }]))).toBe(digest(photo));
  });

  it("leaves bytes, so that scaling may follow; grey images stay grey", async () => {
    const scaled = await run([{ kind: "rand_augment" }, { kind: "resize", size: [8, 9] }]);
    expect([scaled.height, scaled.width, scaled.data.length]).toEqual([8, 9, 8 * 9 * 3]);
    for (let index = 0; index < 60; index++) {
      const { data } = await run([{ kind: "rand_augment", fill: [7] }], { ...KEY, index }, 1);
      expect(data.every((level, i) => level === data[i - (i % 3)])).toBe(true);
    }
  });

  it("refuses what it can't do", async () => {
    const refused = (settings: object, message: string) =>
      expect(() => preparePipeline([{ kind: "rand_augment", ...settings }])).toThrow(message);
    refused({ magnitude: 31 }, "rand_augment: magnitude 31 has to be below num_magnitude_bins, which is 31");
    refused({ fill: [0.5, 0, 0] }, "rand_augment: fill 0.5, 0, 0: levels are whole numbers");
    refused({ num_magnitude_bins: 1 }, "num_magnitude_bins must be an integer from 2 to 1024, not 1");
    expect(() => preparePipeline([{ kind: "normalize" }, { kind: "rand_augment" }])).toThrow(
      "rand_augment: has to come before normalize, which changes what the values mean",
    );
    expect(() => preparePipeline([{ kind: "rand_augment", fill: [1, 2, 3] }], { channels: 1 })).toThrow(
      "rand_augment: fill has 3 numbers, and images of 1 channel take 1",
    );
    const pipeline = preparePipeline([{ kind: "rand_augment" }]);
    const source = { size: [21, 33], pixels: () => photo, boxes: [[1, 2, 3, 4]] } as const;
    await expect(pipeline.run(source, KEY)).rejects.toThrow(
      "rand_augment: moves pixels, and the boxes of objects can't follow",
    );
    expect(deterministicTransforms([{ kind: "rand_augment" }, { kind: "normalize" }])).toEqual([{ kind: "normalize" }]);
  });
});

it("trivial_augment draws one operation of any strength", async () => {
  const space = TRIVIAL([photo.height, photo.width]);
  const brighter = new Map(
    Array.from({ length: 31 }, (_, bin) => {
      const magnitude = space.brightness!.of(bin, 31);
      return [digest(OPERATIONS.brightness(photo, magnitude)), bin];
    }),
  );
  const bins = new Set<number>();
  for (let index = 0; index < 6000; index++) {
    const bin = brighter.get(digest(await run([{ kind: "trivial_augment" }], { ...KEY, index })));
    if (bin !== undefined) bins.add(bin);
  }
  // About seven of each in 6000; bin 0 is what other operations of strength 0 give, too.
  expect(bins.size).toBeGreaterThanOrEqual(30);
});
