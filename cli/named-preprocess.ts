import type { Preprocess } from "../compiler/model.js";
import { InputFailure } from "./failure.js";

/** A `preprocess` declaration of the standard library. */
export async function namedPreprocess(name: string): Promise<Preprocess> {
  const { elaborate } = await import("../compiler/analyze.js");
  const { memoryHost } = await import("../compiler/host.js");
  const probe = `import { ${name} } from "std/preprocess"
network Probe { input image 3x8x8   preprocess ${name}   stage all { relu } }`;
  const known = /^\w+$/.test(name)
    ? elaborate({ file: "probe.resnet" }, { host: memoryHost({ "probe.resnet": probe }) }).model?.preprocess
    : undefined;
  if (known === undefined) throw new InputFailure(`std/preprocess has nothing called ${name}`);
  return known;
}
