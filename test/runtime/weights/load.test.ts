/** What commands and programs do with a weight file: one function, the same bytes. */
import { normalizationOf } from "../../../compiler/preprocess.js";
import fs from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { compile, elaborate, parseTarget } from "../../../compiler/index.js";
import { readModelMetadata } from "../../../runtime/onnx/model-metadata.js";
import { compileWithWeights, exportWeights, loadWeights } from "../../../runtime/weights/index.js";
import { runnable } from "../../../cli/runnable.js";
import { caffeFile } from "../../support/caffe-file.js";
import { temporaryFolder } from "../../support/weight-files.js";
import { pth, tensorOf, torchFile } from "../../support/torch-file.js";

const folder = temporaryFolder();
const at = (name: string) => path.join(folder, name);

const text = (channels = 3, classes = 2) => `
  preprocess theirs_preprocess { resize_shorter 16, bicubic   normalize(mean: [0.5, 0.4, 0.3]) }
  weights theirs { format pytorch   rename "conv1.conv", "conv1"   rename "head.fc", "fc"   trained_with theirs_preprocess }
  network Tiny {
    input image ${channels}x8x8   weights theirs
    stage conv1 { conv 1x1, 2 }
    stage head { global_avg_pool   fc ${classes} }
  }
`;
const tiny = (channels?: number, classes?: number) =>
  elaborate({ file: "tiny.resnet" }, { host: { read: () => text(channels, classes) } }).model!;
const weights = {
  "conv1.weight": { shape: [2, 3, 1, 1], values: Float32Array.of(1, 2, 3, 4, 5, 6) },
  "fc.weight": tensorOf([2, 2], 7),
  "fc.bias": tensorOf([2], 8),
};
fs.writeFileSync(at("bare.pth"), torchFile(weights, "pth"));
fs.writeFileSync(
  at("wrapped.safetensors"),
  torchFile({ model: { module: weights }, epoch: tensorOf([], 3) }, "safetensors"),
);

describe("the same weights", () => {
  test("give the same bytes, however a file has them", async () => {
    const input = { files: { "tiny.resnet": text() }, entry: "tiny.resnet" };
    const [bare, wrapped] = [
      await compileWithWeights(input, at("bare.pth")),
      await compileWithWeights(input, at("wrapped.safetensors")),
    ];
    expect(Buffer.from(wrapped.onnx!).equals(bare.onnx!)).toBe(true);
    expect(wrapped.weights?.report).toMatchObject({ stateDict: "model.module", passedOver: "epoch", loaded: 3 });
    expect(readModelMetadata(bare.onnx!, "tiny")).toMatchObject({
      preprocess: { name: "theirs_preprocess", transforms: [{ interpolation: "bicubic" }, {}] },
      weights: { from: "given" },
    });
  });

  test.each([
    ["ResNet50D", "timm_resnet_d"],
    ["SEResNet50", "timm_seresnet"],
  ])(
    "of %s are compiled by commands and programs alike",
    async (target, names) => {
      const model = elaborate(parseTarget(target)).model!;
      const zeros = new Map(
        model.graph.parameters.map(({ path: name, value }) => {
          const size = (value.type.shape as readonly number[]).reduce((product, length) => product * length, 1);
          return [name, new Float32Array(size).fill(0.5)];
        }),
      );
      const file = at(`${target}.pth`);
      await exportWeights(
        file,
        model.graph.parameters,
        zeros,
        model.weightMaps.find(({ name }) => name === names),
        "pth",
      );
      const command = await runnable(target, { weights: file });
      const { onnx, weights: said } = await compileWithWeights(target, file);
      expect(Buffer.from(onnx!).equals(command as Uint8Array)).toBe(true);
      expect(said?.report.preprocess).toEqual({ name: "timm", from: "weights" });
    },
    120_000,
  );

  test("without any, a model says that they are random", () => {
    const { onnx } = compile({ files: { "tiny.resnet": text() }, entry: "tiny.resnet" });
    expect(readModelMetadata(onnx!, "tiny").weights).toEqual({ from: "random" });
  });
});

describe("on request", () => {
  test("classes are counted where their numbers differ, not where another width arrives at them", async () => {
    fs.writeFileSync(at("wide.pth"), torchFile({ ...weights, "fc.weight": tensorOf([2, 3], 7) }, "pth"));
    const refused = loadWeights(tiny(), at("wide.pth"));
    await expect(refused).rejects.toThrow("--new-head");
    await expect(refused).rejects.not.toThrow("classes, the network");
  });

  test("a head of another size begins anew, and nothing else may differ", async () => {
    await expect(loadWeights(tiny(3, 5), at("bare.pth"))).rejects.toThrow(
      /the file has 2 classes, the network 5\n.*--new-head/,
    );
    const loaded = await loadWeights(tiny(3, 5), at("bare.pth"), { newHead: true });
    expect(loaded.report).toMatchObject({ loaded: 1, fresh: ["head.fc.weight", "head.fc.bias"], misshaped: [] });
    expect(loaded.emit.origin).toEqual({ from: "given", random: ["head.fc"] });
    expect(loaded.values.get("head.fc.weight")).toBeUndefined();
    loaded.close();
    await expect(loadWeights(tiny(1, 5), at("bare.pth"), { newHead: true })).rejects.toThrow(/conv1\.conv\.weight is/);
  });

  test.each([
    [1, [6, 15]],
    [2, [1.5, 3, 6, 7.5]],
    [4, [0.75, 1.5, 2.25, 0.75, 3, 3.75, 4.5, 3]],
  ])("a first convolution is made for %i channels, as timm makes it", async (channels, expected) => {
    await expect(loadWeights(tiny(channels), at("bare.pth"))).rejects.toThrow(/--adapt-input/);
    const loaded = await loadWeights(tiny(channels), at("bare.pth"), { adaptInput: true });
    expect([...loaded.values.get("conv1.conv.weight")!]).toEqual(expected);
    expect(loaded.notes.join("\n")).toMatch(/conv1\.conv\.weight \[2, \d, 1, 1\] is made of \[2, 3, 1, 1\]/);
    loaded.close();
  });
});

describe("beside the weights", () => {
  const word = (text: string) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(text.length);
    return `X${length.toString("latin1")}${text}`;
  };
  const load = async (extra: string) => {
    fs.writeFileSync(at("beside.pth"), pth({ state_dict: weights }, extra));
    const loaded = await loadWeights(tiny(), at("beside.pth"));
    const values = tiny().graph.parameters.map(({ path: name }) => [...loaded.values.get(name)!]);
    loaded.close();
    expect(values).toEqual([
      [1, 2, 3, 4, 5, 6],
      [7, 7, 7, 7],
      [8, 8],
    ]);
    return loaded;
  };

  test.each([
    [
      "a configuration",
      `comegaconf.dictconfig\nDictConfig\n)\x81}${word("lr")}K\x01sb`,
      "omegaconf.dictconfig.DictConfig",
    ],
    ["a dataclass of the script", `c__main__\nArguments\n)\x81}${word("epochs")}K\x5asb`, "__main__.Arguments"],
    ["a named tuple", "c__main__\nPoint\nK\x01K\x02\x86\x81", "__main__.Point"],
    ["a date", `cdatetime\ndatetime\n${word("0123456789")}\x85R`, "datetime.datetime"],
    ["a duration", "cdatetime\ntimedelta\nK\x01K\x02K\x03\x87R", "datetime.timedelta"],
    ["a decimal number", `cdecimal\nDecimal\n${word("1.5")}\x85R`, "decimal.Decimal"],
    ["an enumeration", "c__main__\nMode\nK\x01\x85R", "__main__.Mode"],
    ["a function", "c__main__\nschedule\n", "__main__.schedule"],
    ["an optimizer as it is", `ctorch.optim.sgd\nSGD\n)\x81}${word("defaults")}}sb`, "torch.optim.sgd.SGD"],
    ["a sparse tensor", "ctorch._utils\n_rebuild_sparse_tensor\nN\x85R", "a sparse tensor"],
    ["a quantised tensor", "ctorch._utils\n_rebuild_qtensor\nN\x85R", "a quantised tensor"],
    [
      "one by a function that is yet to be made",
      "ctorch._utils\n_rebuild_new_thing\nN\x85R",
      "made by _rebuild_new_thing",
    ],
  ])("%s is passed over, and that is said", async (_what, pickled, name) => {
    const { report, notes, warnings } = await load(word("extra") + pickled);
    expect(report).toMatchObject({ loaded: 3, stateDict: "state_dict", passedOver: `extra (${name})` });
    expect(notes.join("\n")).toContain(`passed over: extra (${name})`);
    expect(warnings).toEqual([]);
  });

  test("of many objects the first few are named", async () => {
    const many = Array.from({ length: 9 }, (_, i) => `${word(`extra${i}`)}c__main__\nThing\n)\x81`).join("");
    const { report } = await load(many);
    expect(report.passedOver).toMatch(/^extra0 \(__main__\.Thing\), .*extra3 .*, and 5 more objects$/);
  });

  test.each(["os\nsystem", "posix\nsystem", "subprocess\nPopen", "builtins\neval", "__builtin__\nexec"])(
    "a call of %j is warned of, and not made",
    async (name) => {
      const ran = at("ran");
      const { warnings } = await load(`${word("extra")}c${name}\n${word(`touch ${ran}`)}\x85R`);
      expect(warnings).toEqual([
        expect.stringMatching(
          `beside\\.pth: asks for ${name.replace("\n", "\\.")}, which no weights need: nothing was run here; other programs would`,
        ),
      ]);
      expect(fs.existsSync(ran)).toBe(false);
      // Where it is all that there is, there is nothing to load.
      fs.writeFileSync(at("alone.pth"), pth({}, `${word("extra")}c${name}\n${word(`touch ${ran}`)}\x85R`));
      await expect(loadWeights(tiny(), at("alone.pth"))).rejects.toThrow(/alone\.pth: asks for .*nothing was run$/);
      expect(fs.existsSync(ran)).toBe(false);
    },
  );
});

describe("of a checkpoint", () => {
  test("the averages are taken, and what is passed over is counted by group", async () => {
    const own = (value: number) => ({
      "conv1.conv.weight": tensorOf([2, 3, 1, 1], value),
      "head.fc.weight": tensorOf([2, 2], value),
      "head.fc.bias": tensorOf([2], value),
    });
    const tree = { ...own(1), momentum: own(2), ema: own(3) };
    for (const format of ["pth", "safetensors"] as const) {
      fs.writeFileSync(at("checkpoint"), torchFile(tree, format));
      const { report, values, close } = await loadWeights(tiny(), at("checkpoint"), { stateDict: "ema" });
      expect(report.passedOver).toBe("the weights without a prefix (3 tensors), momentum (3 tensors)");
      expect([...values.get("head.fc.bias")!]).toEqual([3, 3]);
      close();
    }
  });

  test("a preprocessing that is asked for is made grey for one channel, and that is said", async () => {
    const preprocess = tiny().weightMaps[0]!.trainedWith!;
    const loaded = await loadWeights(tiny(1), at("bare.pth"), { adaptInput: true, preprocess });
    expect(loaded.preprocess!.name).toBe("theirs_preprocess, in grey");
    expect(normalizationOf(loaded.preprocess!)).toMatchObject({ color: "grey", mean: [0.4] });
    expect(loaded.warnings).toEqual([expect.stringMatching(/one channel: preprocessing theirs_preprocess .* in grey/)]);
    loaded.close();
  });

  test("of a network that was cut the refusal says how its last layers are passed over", async () => {
    const cut = (more = "") =>
      elaborate(
        { file: "cut.resnet" },
        {
          host: {
            read: () => `
              weights theirs { format pytorch   rename "conv1.conv", "conv1"${more} }
              network Cut { input image 3x8x8   weights theirs   stage conv1 { conv 1x1, 2 }   global_avg_pool }`,
          },
        },
      ).model!;
    await expect(loadWeights(cut(), at("bare.pth"))).rejects.toThrow(
      /the network has no such layer: --lenient passes over it, and so does ignore "fc\.\*" in its weights declaration/,
    );
    const lenient = await loadWeights(cut(), at("bare.pth"), { lenient: true });
    expect(lenient.report).toMatchObject({ loaded: 1, unexpected: ["fc.weight", "fc.bias"] });
    lenient.close();
    const ignoring = await loadWeights(cut('   ignore "fc.*"'), at("bare.pth"));
    expect(ignoring).toMatchObject({ warnings: [], report: { loaded: 1, unexpected: [] } });
    ignoring.close();
  });
});

describe("Caffe's batch norms with a factor of 0", () => {
  const source = `
    weights theirs { format caffe   rename "conv{s}.bn", "bn{s} + scale{s}" }
    network Norms { input image 2x4x4   weights theirs   stage conv1 { bn }   stage conv2 { bn }   stage conv3 { bn } }`;
  const norms = elaborate({ file: "norms.resnet" }, { host: { read: () => source } }).model!;
  const load = async (factors: readonly number[], mean: number) => {
    const layers: Record<string, number[][]> = {};
    for (const [i, factor] of factors.entries()) {
      layers[`bn${i + 1}`] = [[mean, mean], [mean, mean], [factor]];
      layers[`scale${i + 1}`] = [
        [1, 1],
        [0, 0],
      ];
    }
    fs.writeFileSync(at("norms.caffemodel"), caffeFile(layers));
    const loaded = await loadWeights(norms, at("norms.caffemodel"));
    const means = [1, 2, 3].map((stage) => loaded.values.get(`conv${stage}.bn.running_mean`)![0]);
    loaded.close();
    return { means, warnings: loaded.warnings };
  };

  test("beside statistics are warned of, with the layers' names", async () => {
    const one = await load([2, 0, 1], 4);
    expect(one.means).toEqual([2, 0, 4]);
    expect(one.warnings).toEqual([expect.stringMatching(/a BatchNorm \(bn2\) has a factor of 0 beside statistics/)]);
    const all = await load([0, 0, 0], 4);
    expect(all.warnings).toEqual([expect.stringMatching(/3 BatchNorms \(bn1, bn2, bn3\) have a factor of 0 beside/)]);
  });

  test("beside none are those of a new network", async () => {
    expect(await load([0, 0, 0], 0)).toEqual({ means: [0, 0, 0], warnings: [] });
  });
});

describe("name maps", () => {
  const load = async (source: string, name: string, tensors: typeof weights | object) => {
    fs.writeFileSync(at(name), torchFile(tensors as typeof weights, "safetensors"));
    const { model, diagnostics } = elaborate(parseTarget("net.resnet#Net"), { host: { read: () => source } });
    expect(diagnostics).toEqual([]);
    return { model: model!, load: (options = {}) => loadWeights(model!, at(name), options) };
  };

  test("renames of one's own map that have no use are noted, with their places; the standard library's are not", async () => {
    const source = `import { torchvision_resnet } from "std/weights"
      weights mine { include torchvision_resnet   rename "conv2.conv", "c"   include torchvision_resnet, ours: "bdy." }
      network Net { input image 3x8x8   weights mine   stage conv1 { conv 1x1, 2 }   head { global_avg_pool   fc 2 } }`;
    const { load: loading } = await load(source, "notes.safetensors", weights);
    const loaded = await loading();
    loaded.close();
    expect(loaded.report).toMatchObject({ names: "mine", loaded: 3 });
    expect(loaded.notes.slice(1)).toEqual([
      'net.resnet:2:51: "conv2.conv" is no layer or tensor of the network',
      "net.resnet:2:78: nothing that it includes is in the network",
    ]);
  });

  test("weights of a part that was trained on other pixels are warned of", async () => {
    const source = `
      preprocess bytes { normalize(mean: [1, 2, 3], range: 255, color: bgr) }
      preprocess own { normalize(mean: 0.5) }
      weights theirs { rename "conv1.conv", "c"   trained_with bytes }
      network Inner { input image 3x8x8   weights theirs   stage conv1 { conv 1x1, 2 } }
      network Net { input image 3x8x8   preprocess own   body = Inner.conv1   head { global_avg_pool   fc 2 } }`;
    const part = { "c.weight": weights["conv1.weight"] };
    const { load: loading } = await load(source, "part.safetensors", part);
    await expect(loading()).rejects.toThrow(/by the name map theirs\n.*missing, 2 parameters/);
    const loaded = await loading({ lenient: true });
    loaded.close();
    expect(loaded.report).toMatchObject({ loaded: 1, preprocess: { name: "own", from: "network" } });
    expect(loaded.warnings.join("\n")).toMatch(
      /the weights of body were trained with preprocessing bytes \(bgr up to 255, less 1, 2, 3\); Net has own \(rgb up to 1, less 0.5, 0.5, 0.5\)/,
    );
  });
});
