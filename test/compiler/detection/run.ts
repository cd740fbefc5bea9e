/** Blocks of std/detection as graphs of their own, for tests. */
import { parse } from "../../../compiler/syntax.js";
import { networkState } from "../../../compiler/elaborate/instantiate.js";
import { open } from "../../../compiler/elaborate/declarations.js";
import { draftScope } from "../../../compiler/elaborate/draft.js";
import { evaluate } from "../../../compiler/elaborate/evaluate.js";
import { runBody } from "../../../compiler/elaborate/flow.js";
import { assignPaths } from "../../../compiler/elaborate/naming.js";
import { GraphBuilder } from "../../../compiler/elaborate/graph-builder.js";
import { isRecord } from "../../../compiler/elaborate/values.js";
import { Reporter } from "../../../compiler/diagnostics/reporter.js";
import { memoryHost } from "../../../compiler/host.js";
import { tensor, value } from "../../../compiler/ir/build.js";
import { symbol, type Dim } from "../../../compiler/ir/dim.js";
import { Program } from "../../../compiler/program.js";
import type { Info } from "../../runtime/detection/reference/boxes.js";
import { runGraph, type Tensor } from "../emit/run.js";

/** What is known of an image. */
export type Image = Info;

export const infoOf = (images: readonly Image[]): Tensor => ({
  shape: [images.length, 6],
  data: Float32Array.from(
    images.flatMap((one) => [
      ...[one.height, one.width, one.originalHeight, one.originalWidth],
      ...[one.scaleY, one.scaleX],
    ]),
  ),
});

/** What stands in a detector's body, on tensors that are given. */
export interface Composition {
  /** After `dialect`: `paper(deltas: [1, 1, 1, 1])`. */
  readonly dialect: string;
  /** Its statements; they know the inputs by their names. */
  readonly body: string;
  /** What is wanted of them, by expressions: `found.boxes`. */
  readonly outputs: Readonly<Record<string, string>>;
  /** Feature strides of inputs; 1 where nothing is said. */
  readonly strides?: Readonly<Record<string, number>>;
  /** Declarations before the detector. */
  readonly declarations?: string;
}

const IMPORTS = `
import {
  detect, found_regions, propose, pyramid_roi_align, refine, scale_roi_pool, whole_image, with_masks
} from "std/detection"
import { detectron, detectron2, paper, torchvision_detection } from "std/dialects"`;

/**
 * What a composition makes of these inputs, run in ONNX Runtime. Sizes that differ from batch to batch in a detector are
 * symbols here too.
 */
export function runComposition(
  inputs: Readonly<Record<string, Tensor>>,
  image: readonly [height: number, width: number],
  images: readonly Image[],
  { dialect, body, outputs, strides = {}, declarations = "" }: Composition,
): Promise<Record<string, Tensor>> {
  const reporter = new Reporter();
  const text = `${IMPORTS}\n${declarations}\ndetector Composition { input image 3xHxW   dialect ${dialect}\n${body} }`;
  const module = new Program(memoryHost({ "composition.resnet": text }), reporter).load("composition.resnet")!;
  const detector = module.environment.own("Composition")!.get();
  if (!isRecord(detector, "declaration")) throw new TypeError("no detector");
  const { span } = detector.declaration.name;
  const builder = new GraphBuilder(reporter);
  const opened = open(detector, { reporter, environment: detector.environment, chain: [], at: span })!;
  for (const [name, { shape }] of Object.entries(inputs)) {
    const made = value(tensor(openShape(name, shape)), name);
    builder.inputs.push({ name, value: made });
    const stride = strides[name] ?? 1;
    opened.environment.set(name, { kind: "tensor", value: made, scale: [stride, stride] }, span);
  }
  const scope = draftScope("network", "Composition", span);
  const { environment } = opened;
  runBody(opened.body, {
    ...{ kind: "network", builder, environment, chain: [], scope, flow: { tensor: undefined } },
    ...{ network: networkState(opened, { root: true, selection: undefined }), stride: undefined, depth: 0 },
  });
  assignPaths(scope, () => {});
  if (reporter.errorCount > 0) throw new Error(JSON.stringify(reporter.diagnostics));
  const read = (expression: string) => {
    const { file } = parse(`let it = ${expression}`, "output.resnet");
    const found = evaluate(file.declarations[0]!.value!, { reporter, environment, chain: [] });
    if (!isRecord(found, "tensor")) throw new TypeError(`${expression} is no tensor`);
    return found.value;
  };
  const wanted = Object.entries(outputs).map(([name, expression]) => ({ name, value: read(expression) }));
  if (reporter.errorCount > 0) throw new Error(JSON.stringify(reporter.diagnostics));
  const [height, width] = image;
  const feeds: Record<string, Tensor> = {
    image: { shape: [images.length, 3, height, width], data: new Float32Array(images.length * 3 * height * width) },
    image_info: infoOf(images),
    ...inputs,
  };
  const { nodes } = builder;
  return runGraph(
    { name: "composition", inputs: builder.inputs, parameters: [], constants: [], nodes, outputs: wanted },
    feeds,
  );
}

/** Maps: [N, C, h, w]; rows of regions: [R, ...]. Those of one number in their names have the same sizes. */
function openShape(name: string, shape: readonly number[]): readonly Dim[] {
  const number = name.replace(/\D/g, "");
  if (shape.length === 4) return [symbol("N"), shape[1]!, symbol(`h${number}`), symbol(`w${number}`)];
  return [symbol(`R${number}`), ...shape.slice(1)];
}

export const rows = ({ shape, data }: Tensor): number[][] =>
  Array.from({ length: shape[0]! }, (_, row) => {
    const width = data.length / Math.max(shape[0]!, 1);
    return Array.from(data.subarray(row * width, (row + 1) * width), Number);
  });
