/** Every golden file against what torch and numpy say is in it (expected.json, made by test/oracle/make_weights.py). */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { openWeights } from "../../../runtime/weights/open.js";
import { under } from "../../../runtime/weights/state-dicts.js";
import { WeightsError } from "../../../runtime/weights/source.js";
import { pth, tensorOf } from "../../support/torch-file.js";
import { goldenWeights, temporaryFolder, type Expected } from "../../support/weight-files.js";

const folder = temporaryFolder();

/** What those that are in a dictionary beside other things begin with. */
const WITHIN: Readonly<Record<string, string>> = {
  "checkpoint.pth": "state_dict.module.",
  "checkpoint_legacy.pth": "model.state_dict.module.",
  "zoo.pkl": "model.",
  "python2.pkl": "blobs.",
};

describe.each(Object.entries(goldenWeights.expected))("%s", (file, expected: Expected) => {
  test("has the tensors that were saved", async () => {
    const whole = await openWeights(goldenWeights.path(file));
    const source = under(whole, WITHIN[file] ?? "");
    try {
      expect(source.format).toBe(expected.format);
      expect(source.metadata).toEqual(expected.metadata ?? {});
      expect([...source.tensors.keys()].filter((name) => !name.endsWith("_momentum")).sort()).toEqual(
        Object.keys(expected.tensors).sort(),
      );
      for (const [name, tensor] of Object.entries(expected.tensors)) {
        expect(source.tensors.get(name), name).toMatchObject({ dtype: tensor.dtype, shape: tensor.shape });
        expect([...source.read(name)], name).toEqual(tensor.values);
      }
    } finally {
      source.close();
    }
  });
});

test("what is read is the reader's own: changing it changes nothing", async () => {
  const source = await openWeights(goldenWeights.path("state_dict.pt"));
  source.read("0.weight").fill(7);
  expect(source.read("0.weight")).not.toContain(7);
  source.close();
});

test("the content decides, not the extension", async () => {
  const copy = path.join(folder, "weights.caffemodel");
  fs.copyFileSync(goldenWeights.path("every_kind.safetensors"), copy);
  const source = await openWeights(copy);
  expect(source.format).toBe("safetensors");
  source.close();
});

describe("what torch 2 says of a tensor beside its shape", () => {
  const open = (metadata: Record<string, boolean>) => {
    const file = path.join(folder, "metadata.pth");
    fs.writeFileSync(file, pth({ "a.weight": tensorOf([2], 1.5) }, "", metadata));
    return openWeights(file);
  };

  test.each([
    [{ neg: true }, -1.5],
    [{ neg: false }, 1.5],
    // Of real numbers, which are their own conjugates.
    [{ conj: true, neg: true }, -1.5],
    [{ conj: false, something_new: false }, 1.5],
  ])("%j: %d", async (metadata, value) => {
    const source = await open(metadata);
    expect([...source.read("a.weight")]).toEqual([value, value]);
    source.close();
  });

  test("what is not known is not read", async () => {
    await expect(open({ something_new: true })).rejects.toThrow(
      /holds no tensor that can be read: "a\.weight" is a tensor with "something_new"$/,
    );
  });
});

describe("what is refused, in one line", () => {
  const refusals: [name: string, content: string | Uint8Array, message: RegExp][] = [
    ["an empty file", "", /: is empty$/],
    ["a git-lfs pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:1\n", /git-lfs pointer/],
    ["a web page", "<!DOCTYPE html><html></html>", /web page/],
    ["text", "hello, this is a text and no weight file at all", /no weight file of a known format/],
    ["gzip", "\x1f\x8b\x08", /gzip/],
    ["safetensors, header of 2^60 bytes", header(2n ** 60n, "{}"), /size of/],
    ["safetensors, header larger than the file", header(2n ** 20n, "{}"), /truncated/],
    ["safetensors, no JSON", header(4n, "{{{{"), /no JSON/],
    ["safetensors, a list", header(8n, "{}[]    "), /no JSON/],
    ["safetensors, deep nesting", safetensors(`{"a":${"[".repeat(1e5)}${"]".repeat(1e5)}}`), /nested deeper/],
    ["safetensors, one name twice", safetensors(`{"a":${f32(0, 4)},"\\u0061":${f32(4, 8)}}`, 8), /names "a" twice/],
    ["safetensors, an overlap", safetensors(`{"a":${f32(0, 4)},"b":${f32(0, 4)}}`, 4), /"b" overlaps/],
    ["safetensors, a gap", safetensors(`{"a":${f32(0, 4)},"b":${f32(8, 12)}}`, 12), /gap/],
    ["safetensors, bytes left over", safetensors(`{"a":${f32(0, 4)}}`, 9), /5 bytes belong to no tensor/],
    ["safetensors, too few bytes", safetensors(`{"a":${f32(0, 4)}}`, 3), /truncated/],
    ["safetensors, a wrong size", safetensors(`{"a":${f32(0, 8)}}`, 8), /not those of F32 \[1\]/],
    ["safetensors, a huge shape", safetensors(`{"a":${f32(0, 4, "[1e15,1e15]")}}`, 4), /not those of F32/],
    [
      "safetensors, an unknown type",
      safetensors(`{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}`, 1),
      /F8_E4M3/,
    ],
    [
      "a pickle that would run a command",
      "\x80\x02cos\nsystem\nU\x09rm -rf ~/x\x85R.",
      /asks for os\.system.*nothing was run/,
    ],
    [
      "a pickle that would run a command (protocol 4)",
      "\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02ls\x85R.",
      /asks for posix\.system/,
    ],
    ["a pickle of a number", "\x80\x02K\x01.", /holds a number, not a dictionary/],
    ["a pickle with a huge string", "\x80\x04\x8d\xff\xff\xff\xff\xff\xff\x00\x00", /truncated/],
    ["a pickle with a huge integer", "\x80\x02\x8b\xff\xff\xff\x7f", /integer of 2147483647 bytes/],
    ["a pickle with a huge memo index", "\x80\x02}r\xff\xff\xff\xffj\xfe\xff\xff\xff.", /recalls value/],
    ["a pickle that takes from nothing", "\x80\x020000.", /mark that it did not set/],
    ["a pickle that never stops", "\x80\x02" + "}".repeat(2_100_000), /more than 2000000 operations/],
    ["a pickle nested deeply", `\x80\x02}U\x01a${"(".repeat(3e5)}${"t".repeat(3e5)}s.`, /holds no tensors/],
    ["a pickle of a billion laughs", laughs(), /holds no tensors/],
    ["caffe, a layer beyond the end", "\xa2\x06\xff\xff\xff\xff\x0f", /truncated/],
    [
      "caffe, values that are not the shape's",
      Buffer.from("a2060a0a016c3a050a03390180".slice(0, -2), "hex"),
      /truncated|damaged/,
    ],
    ["zip with nothing in it", "PK\x03\x04 nothing", /truncated or damaged/],
  ];

  test.each(refusals)("%s", async (_name, content, message) => {
    const file = path.join(folder, "bad.bin");
    fs.writeFileSync(file, typeof content === "string" ? Buffer.from(content, "latin1") : content);
    const error = await openWeights(file).then(
      () => undefined,
      (cause: unknown) => cause,
    );
    expect(error).toBeInstanceOf(WeightsError);
    const { message: line } = error as WeightsError;
    expect(line).toMatch(message);
    expect(line.startsWith(`${file}: `)).toBe(true);
    expect(line).not.toContain("\n");
  });

  test("a folder, and what is not there", async () => {
    await expect(openWeights(folder)).rejects.toThrow(/is a folder/);
    await expect(openWeights(path.join(folder, "none.pth"))).rejects.toThrow(/none\.pth: no such file/);
  });

  test("a whole module instead of a state_dict", async () => {
    await expect(openWeights(goldenWeights.path("refused_module.pth"))).rejects.toThrow(
      /is a whole module \(torch\.nn\.modules\.container\.Sequential\).*save its state_dict\(\)/,
    );
  });

  test("a changed byte in a zip's tensor data: the checksum tells", async () => {
    const bytes = fs.readFileSync(goldenWeights.path("state_dict.pt"));
    const values = Buffer.from(
      Float32Array.from(goldenWeights.expected["state_dict.pt"]!.tensors["0.weight"]!.values).buffer,
    );
    const at = bytes.indexOf(values);
    expect(at).toBeGreaterThan(0);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    const file = path.join(folder, "flipped.pt");
    fs.writeFileSync(file, bytes);
    const source = await openWeights(file);
    expect(() => source.read("0.weight")).toThrow(/checksum of .*data\/0 is wrong/);
    source.close();
  });
});

/** A safetensors file: header length, header, zeros. */
function header(length: bigint, text: string, data = 0): Uint8Array {
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(length);
  return Buffer.concat([size, Buffer.from(text), Buffer.alloc(data)]);
}

function safetensors(text: string, data = 0): Uint8Array {
  return header(BigInt(text.length), text, data);
}

function f32(begin: number, end: number, shape = "[1]"): string {
  return `{"dtype":"F32","shape":${shape},"data_offsets":[${begin},${end}]}`;
}

/** {"model": d30}, where each d is a dictionary of ten times the one before: 10^30 entries in half a kilobyte. */
function laughs(): string {
  let text = "\x80\x02}q\x00";
  for (let level = 1; level <= 30; level++) {
    const entries = Array.from(
      { length: 10 },
      (_, i) => `K${String.fromCharCode(i)}h${String.fromCharCode(level - 1)}`,
    );
    text += `}(${entries.join("")}uq${String.fromCharCode(level)}`;
  }
  return `${text}}U\x05modelh\x1es.`;
}
