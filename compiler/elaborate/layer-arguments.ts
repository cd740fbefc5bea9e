/** What a layer is given: tensors that go into it, and attributes. */
import type * as ir from "../ir/types.js";
import type { Schema, Tensor } from "../words/schema.js";

type LayerValue = ir.AttributeValue | Tensor | readonly Tensor[];

export const isOneTensor = (value: LayerValue | undefined): value is Tensor =>
  typeof value === "object" && "kind" in value && value.kind === "tensor";
const areTensors = (value: LayerValue): value is readonly Tensor[] =>
  Array.isArray(value) && value.length > 0 && (value as readonly LayerValue[]).every(isOneTensor);

/** Tensors and attributes among a layer's arguments, in the order of its schema, however they are written. */
export function splitArguments(
  schema: Schema,
  given: Readonly<Record<string, LayerValue | undefined>>,
): { readonly tensors: readonly Tensor[]; readonly attributes: Record<string, ir.AttributeValue> } {
  const tensors: Tensor[] = [];
  const attributes: Record<string, ir.AttributeValue> = {};
  for (const name of Object.keys(schema)) {
    const value = given[name];
    if (value === undefined) continue;
    if (isOneTensor(value)) tensors.push(value);
    else if (areTensors(value)) tensors.push(...value);
    else attributes[name] = value;
  }
  return { tensors, attributes };
}
