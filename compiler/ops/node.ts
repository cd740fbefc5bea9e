/** Making nodes, whose outputs are inferred by the operator's own rule, and the parameters that belong to them. */
import type { Span } from "../../grammar/ast.js";
import { tensor, value } from "../ir/build.js";
import { formatShape, sameShape } from "../ir/dim.js";
import type { Attributes, DataType, Node, Parameter, Value } from "../ir/types.js";
import { completeAttributes } from "./attributes.js";
import { operator } from "./index.js";
import { ShapeError, type Operator, type ParameterSpec } from "./operator.js";

/** A parameter as the specification says, at this path (`conv4.22.conv2.weight`). */
export function parameter(spec: ParameterSpec, path: string, dtype: DataType = "float32"): Parameter {
  const { role, trainable, init } = spec;
  return { value: value(tensor(spec.shape, dtype), path), path, role, trainable, init };
}

/**
 * One operation. Attributes that are not given get their defaults; outputs are inferred and named by the path.
 * Throws a ShapeError where the operator can't take these inputs.
 */
export function node(
  op: string,
  inputs: readonly Value[],
  attributes: Attributes,
  path: string,
  span: Span,
  name: string = path,
): Node {
  const record = operator(op);
  const complete = completeAttributes(record, attributes);
  const types = record.infer(
    inputs.map((input) => input.type),
    complete,
  );
  requireParameters(
    op,
    record.parameters?.(
      complete,
      inputs.map((input) => input.type),
    ),
    inputs,
  );
  const outputs = types.map((type, index) => value(type, types.length === 1 ? name : `${name}.${index}`));
  return { op, inputs, outputs, attributes: kept(record, complete), path, span };
}

/** Layers that differ only in how their parameters begin are equal nodes. */
function kept({ layer }: Operator, attributes: Attributes): Attributes {
  const { initial = [] } = layer ?? {};
  if (!initial.some((name) => name in attributes)) return attributes;
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => !initial.includes(name)));
}

/** A layer of the source: the node, and the parameters that it owns, named after its path. Throws a ShapeError. */
export function layer(
  op: string,
  inputs: readonly Value[],
  attributes: Attributes,
  path: string,
  span: Span,
): { readonly node: Node; readonly parameters: readonly Parameter[] } {
  const record = operator(op);
  const complete = completeAttributes(record, attributes);
  const types = inputs.map((input) => input.type);
  const parameters = (record.parameters?.(complete, types) ?? []).map((spec) =>
    parameter(spec, `${path}.${spec.name}`, types[0]!.dtype),
  );
  const all = [...inputs, ...parameters.map((each) => each.value)];
  return { node: node(op, all, complete, path, span), parameters };
}

/** The last inputs are the parameters that the layer asks for. */
function requireParameters(op: string, specs: readonly ParameterSpec[] = [], inputs: readonly Value[]): void {
  specs.forEach((spec, index) => {
    const given = inputs[inputs.length - specs.length + index];
    if (given !== undefined && sameShape(given.type.shape, spec.shape)) return;
    const shape = given === undefined ? "missing" : formatShape(given.type.shape);
    throw new ShapeError(`${op}: the ${spec.name} is ${shape}, this input needs ${formatShape(spec.shape)}`);
  });
}
