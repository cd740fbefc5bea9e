/** Compositions of detection operators as graphs of their own, for tests. */
import { readDialect } from "../../../compiler/elaborate/dialect.js";
import { isRecord } from "../../../compiler/elaborate/values.js";
import { Reporter } from "../../../compiler/diagnostics/reporter.js";
import type { Build, Images } from "../../../compiler/detection/build.js";
import type { Dialect } from "../../../compiler/detection/dialect.js";
import { memoryHost } from "../../../compiler/host.js";
import { tensor, value } from "../../../compiler/ir/build.js";
import { node } from "../../../compiler/ops/node.js";
import { symbol, type Dim } from "../../../compiler/ir/dim.js";
import type { NamedValue, Node, Value } from "../../../compiler/ir/types.js";
import { Program } from "../../../compiler/program.js";
import type { Info } from "../../runtime/detection/reference/boxes.js";
import { SPAN } from "../ops/graphs.js";
import { runGraph, type Tensor } from "../emit/run.js";

/** A dialect of the standard library. */
export function standardDialect(name: string): Dialect {
  const reporter = new Reporter();
  const module = new Program(memoryHost({}), reporter).load("std/dialects.resnet")!;
  const found = module.environment.own(name)!.get();
  if (!isRecord(found, "declaration")) throw new TypeError(`${name} is no declaration`);
  return readDialect(found, { reporter, environment: found.environment, chain: [] })!;
}

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

/**
 * What `compose` makes of these inputs, run in ONNX Runtime. Sizes that differ from batch to batch in a detector are
 * symbols here too.
 */
export function runComposition(
  inputs: Readonly<Record<string, Tensor>>,
  image: readonly [height: number, width: number],
  images: readonly Image[],
  compose: (values: Readonly<Record<string, Value>>, images: Images, build: Build) => Readonly<Record<string, Value>>,
): Promise<Record<string, Tensor>> {
  const named: NamedValue[] = [];
  const nodes: Node[] = [];
  const input = (name: string, shape: readonly Dim[]): Value => {
    const made = value(tensor(shape), name);
    named.push({ name, value: made });
    return made;
  };
  const build: Build = (op, from, attributes = {}) => {
    const made = node(op, from, attributes, `${op}${nodes.length}`, SPAN);
    nodes.push(made);
    return made.outputs;
  };
  const [height, width] = image;
  const feeds: Record<string, Tensor> = {
    image: { shape: [images.length, 3, height, width], data: new Float32Array(images.length * 3 * height * width) },
    image_info: infoOf(images),
    ...inputs,
  };
  const batch = input("image", [symbol("N"), 3, symbol("H"), symbol("W")]);
  const given = input("image_info", [symbol("M"), 6]);
  const info = build("image_info", [batch, given])[0]!;
  const values = Object.fromEntries(
    Object.entries(inputs).map(([name, { shape }]) => [name, input(name, openShape(name, shape))]),
  );
  const outputs = compose(values, { image: batch, info }, build);
  const graph = {
    name: "composition",
    inputs: named,
    parameters: [],
    constants: [],
    nodes,
    outputs: Object.entries(outputs).map(([name, made]) => ({ name, value: made })),
  };
  return runGraph(graph, feeds);
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
