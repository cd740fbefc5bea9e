/** Zips that torch.save did not write, told by the names of their entries. */
import { plainName } from "./shown.js";

const ends =
  (...endings: readonly string[]) =>
  (name: string): boolean =>
    endings.some((ending) => name.endsWith(ending));

/** The first that an entry speaks for. A TorchScript program has a data.pkl too. */
const KINDS: readonly (readonly [speaks: (name: string) => boolean, what: string])[] = [
  [
    (name) => /^([^/]+\/)?(constants\.pkl|code\/)/.test(name),
    "is a TorchScript program; save its state_dict() with torch.save",
  ],
  [
    ends("serialized_exported_program.json", "models/model.json"),
    "is a program of torch.export; save the module's state_dict() with torch.save",
  ],
  [ends("model.weights.h5"), "is a Keras model, which is not read; save the weights with torch.save or as safetensors"],
  [ends("MAR-INF/MANIFEST.json"), "is an archive of TorchServe; unpack it and give the weight file that is in it"],
];

const WEIGHT_FILE = /\.(pth|pt|bin|tar|safetensors|caffemodel|pkl|ckpt)$/i;

/** What a zip is, with what to do about it; undefined where it is torch.save's. */
export function foreignArchive(names: readonly string[]): string | undefined {
  const kind = KINDS.find(([speaks]) => names.some(speaks));
  if (kind) return kind[1];
  if (names.some((name) => /^([^/]+\/)?data\.pkl$/.test(name))) return undefined;
  if (names.length > 0 && names.every(ends(".npy"))) {
    return "is an archive of numpy arrays (.npz), which is not read; save them by their names, as safetensors";
  }
  const inside = names.find((name) => WEIGHT_FILE.test(name));
  if (inside !== undefined) return `is a zip with ${plainName(inside, 60)} in it; unpack it and give that file`;
  const some = names.slice(0, 3).map((name) => plainName(name, 40));
  const listed = some.length === 0 ? "nothing" : some.join(", ") + (names.length > some.length ? ", ..." : "");
  return `is a zip, but not one of torch.save: it has no data.pkl (but ${listed})`;
}
