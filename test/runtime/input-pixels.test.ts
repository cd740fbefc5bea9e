/** Models that take decoded images: what the graph makes of them is what the runtime's own preprocessing makes. */
import { normalizationOf } from "../../compiler/preprocess.js";
import path from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { compile } from "../../compiler/index.js";
import { takingPixels } from "../../compiler/input-pixels.js";
import { elaborate, memoryHost, parseTarget } from "../../compiler/index.js";
import { openClassifier } from "../../runtime/classification/classifier.js";
import { decodeImage } from "../../runtime/images/decode.js";
import type { Image } from "../../runtime/images/image.js";
import { pixelsOf } from "../../runtime/images/planes.js";
import { preprocessImage } from "../../runtime/images/views.js";
import { openSession } from "../../runtime/onnx/session.js";

const PREPROCESS: Readonly<Record<string, string>> = {
  torchvision: "",
  paper: "",
  cifar10: "",
  bicubic: "resize_shorter 36, bicubic   center_crop 32x32   normalize(mean: 0.5, std: 0.25)",
  exact: "resize 40x28   normalize(mean: [100, 110, 120], range: 255, color: bgr)",
  bounded: "resize_shorter 40, longest: 60   center_crop 32x32",
  unscaled: "center_crop 30x30",
  grey: "resize_shorter 36   center_crop 32x32   normalize(mean: 0.5, std: 0.25, color: grey)",
};

/** A network that gives its input back. */
function source(name: string, size: string): string {
  const body = PREPROCESS[name];
  const declared = body ? `preprocess how { ${body} }` : `import { ${name} } from "std/preprocess"`;
  return `${declared}
network Net { input image ${name === "grey" ? 1 : 3}x${size}   preprocess ${body ? "how" : name}   average { identity } { identity } }`;
}

function image(width: number, height: number): Image {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [x, y, c] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width), i % 3];
    return Math.round(127 + 90 * Math.sin(x / 3 + c) + 35 * Math.cos((x * y) / 5 + c) + 100) % 256;
  });
  return { width, height, data };
}

const SIZES = [
  ...[
    [1, 1],
    [1, 40],
    [50, 1],
    [3, 200],
    [301, 17],
    [33, 29],
    [64, 64],
    [257, 129],
    [640, 481],
  ],
] as const;

describe("preprocessing in the graph is the runtime's own, within a level", () => {
  const inputs: readonly (readonly [string, string])[] = [
    ...Object.keys(PREPROCESS).map((name) => [name, "32x32"] as const),
    ["torchvision", "224x224"],
    ["paper", "48x24"],
    ["bounded", "48x48"],
  ];
  it.each(inputs)(
    "%s at %s",
    async (name, size) => {
      const files = { "net.resnet": source(name, size) };
      const { onnx, model, diagnostics } = compile({ files, entry: "net.resnet" }, { inputPixels: true });
      if (!onnx || !model) throw new Error(JSON.stringify(diagnostics));
      const how = model.preprocess!;
      const session = await openSession(onnx, { device: "cpu" });
      try {
        const channels = name === "grey" ? 1 : 3;
        expect(session.inputs).toMatchObject([{ type: "uint8", shape: ["N", "H", "W", channels] }]);
        for (const [width, height] of SIZES) {
          const seen = image(width, height);
          const pixels = pixelsOf(seen, channels);
          const { data, ...made } = preprocessImage(seen, how, size.split("x").map(Number) as [number, number]);
          const results = await session.run({ image: { data: pixels.data, shape: [1, height, width, channels] } });
          const output = Object.values(results)[0]!;
          expect(output.shape).toEqual([1, made.channels, made.height, made.width]);
          const { range, std } = normalizationOf(how);
          const level = range / 255;
          const area = made.height * made.width;
          let worst = 0;
          let differing = 0;
          (output.data as Float32Array).forEach((value, i) => {
            const levels = (Math.abs(value - data[i]!) * std[Math.floor(i / area)]!) / level;
            worst = Math.max(worst, levels);
            if (levels > 0.01) differing++;
          });
          expect(worst, `${width}x${height}`).toBeLessThan(1.01);
          // Sums that lie on a half may be rounded either way.
          expect(differing / data.length, `${width}x${height}`).toBeLessThan(0.05);
        }
      } finally {
        await session.close();
      }
    },
    60_000,
  );
});

describe("a classifier that takes pixels", () => {
  const FILES = {
    "net.resnet": `import { torchvision } from "std/preprocess"
network Net { input image 3x64x64   preprocess torchvision   conv 3x3, 8   relu   global_avg_pool   fc 3   softmax }`,
  };

  it("says what the same network says of the same image", async () => {
    const photo = path.join(import.meta.dirname, "../golden/images/photo.jpg");
    const decoded = await decodeImage(photo);
    const raw = { width: decoded.width, height: decoded.height, channels: 3 } as const;
    const buffer = await sharp(decoded.data, { raw }).png().toBuffer();
    const answers = [];
    for (const inputPixels of [false, true]) {
      const { onnx } = compile({ files: FILES, entry: "net.resnet" }, { inputPixels });
      const classifier = await openClassifier(onnx!, { device: "cpu" });
      try {
        const [one, two] = await classifier.classify([photo, buffer]);
        if (!one || !two || "error" in one || "error" in two) throw new Error(JSON.stringify([one, two]));
        expect(two.image).toBe("image 2");
        expect(two.predictions).toEqual(one.predictions);
        answers.push(new Map(one.predictions.map(({ index, probability }) => [index, probability])));
        if (inputPixels) {
          await expect(classifier.classify([photo], { crops: 10 })).rejects.toThrow("preprocesses images itself");
        }
      } finally {
        await classifier.close();
      }
    }
    for (const [index, probability] of answers[0]!) expect(answers[1]!.get(index)).toBeCloseTo(probability, 3);
  });

  it("takes a batch of images of one size, and an older or newer opset", async () => {
    for (const opset of [17, 18, 21]) {
      const { onnx } = compile({ files: FILES, entry: "net.resnet" }, { inputPixels: true, opset });
      const session = await openSession(onnx!, { device: "cpu" });
      try {
        const two = new Uint8Array(2 * 50 * 70 * 3).fill(90);
        const { probabilities } = await session.run({ image: { data: two, shape: [2, 50, 70, 3] } });
        expect(probabilities!.shape).toEqual([2, 3]);
      } finally {
        await session.close();
      }
    }
  });

  it.each([
    ["FasterRCNN_ResNet50_FPN", "is for classifiers"],
    ["net.resnet#Open", "needs a size: give --input 3x224x224"],
    ["net.resnet#Bare", "needs a preprocessing"],
    ["net.resnet#Nearest", "can't be scaled by nearest pixels"],
    ["net.resnet#Sampled", "can't be resized like torch, which is for detectors"],
  ])("of %s can't be made", (target, message) => {
    const text = `import { torchvision } from "std/preprocess"
preprocess near { resize 8x8, nearest }
preprocess sampled { resize 8x8, like: torch }
network Open { input image 3xHxW   preprocess torchvision   relu }
network Bare { input image 3x8x8   relu }
network Nearest { input image 3x8x8   preprocess near   relu }
network Sampled { input image 3x8x8   preprocess sampled   relu }`;
    const { model } = elaborate(parseTarget(target), { host: memoryHost({ "net.resnet": text }) });
    expect(() => takingPixels(model!, model!.preprocess)).toThrow(message);
  });
});

describe("images of a classifier", () => {
  it("are paths, bytes of any kind, and what has a name; all else is one line", async () => {
    const { onnx } = compile({
      files: {
        "net.resnet": `preprocess how { resize 8x8 }
network Net { input image 3x8x8   preprocess how   conv 3x3, 4   relu   global_avg_pool   fc 3   softmax }`,
      },
      entry: "net.resnet",
    });
    const classifier = await openClassifier(onnx!, { device: "cpu" });
    try {
      const png = await sharp({ create: { width: 9, height: 9, channels: 3, background: "#20a040" } })
        .png()
        .toBuffer();
      const bytes = new Uint8Array(png);
      const results = await classifier.classify([
        png,
        bytes,
        bytes.buffer,
        new Blob([bytes]),
        new File([bytes], "leaf.png"),
        { name: "named", bytes },
      ]);
      expect(results.map(({ image: name }) => name)).toEqual([
        "image 1",
        "image 2",
        "image 3",
        "image 4",
        "leaf.png",
        "named",
      ]);
      const scores = results.map((each) => ("error" in each ? each.error : each.predictions));
      for (const each of scores) expect(each).toEqual(scores[0]);
      for (const [wrong, kind] of [
        [undefined, "undefined"],
        [7, "a number"],
        [{ body: bytes }, "an object without name and bytes"],
        [[bytes], "a list"],
      ] as const) {
        await expect(classifier.classify([wrong as never])).rejects.toThrow(
          `image 1 is ${kind}; a path, bytes (a Buffer, Uint8Array, ArrayBuffer or Blob), or { name, bytes } is needed`,
        );
      }
      await expect(classifier.classify("a.png" as never)).rejects.toThrow("images: a list is needed, not a string");
    } finally {
      await classifier.close();
    }
  });
});
