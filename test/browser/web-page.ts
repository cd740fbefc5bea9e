/** The page of web.test.ts: both modules that a page imports, and ONNX Runtime from where the test's site has it. */
import * as resnetc from "../../compiler/index.js";
import * as web from "../../runtime/web/index.js";

const { location } = globalThis as unknown as { readonly location: { readonly href: string } };
const folder = new URL("/ort/", location.href).href;

const ort: web.WebOptions = {
  runtime: (device) =>
    import(new URL(device === "webgpu" ? "ort.webgpu.min.mjs" : "ort.wasm.min.mjs", folder).href) as Promise<never>,
  wasmPaths: folder,
};

/** A training of a network that is given as text. */
function small(text: string, set: readonly string[]): web.WebTrainRequest {
  const host = resnetc.memoryHost({ "small.resnet": text });
  const { model } = resnetc.elaborate(resnetc.parseTarget("small.resnet#Small"), { host });
  const { recipe } = resnetc.elaborateRecipe(resnetc.parseTarget("std/recipes#shapes"), { set: [...set] });
  return { model: model!, recipe: recipe!, data: web.openShapes({ train: 80, validation: 16, test: 16 }) };
}

async function bytes(address: string): Promise<Uint8Array> {
  return new Uint8Array(await (await fetch(address)).arrayBuffer());
}

/** The message of what goes wrong. */
async function problem(run: () => unknown): Promise<string> {
  try {
    await run();
    return "nothing";
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
}

export const page = { resnetc, web, ort, small, bytes, problem };
Object.assign(globalThis, { page });
