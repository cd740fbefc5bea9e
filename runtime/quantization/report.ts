/** A calibration in words and numbers. */
import type { Calibration, LayerError } from "./calibrate.js";

/** What `--report` writes, as JSON. */
export interface QuantizationReport {
  readonly method: string;
  readonly images: number;
  /** Signal to noise of what the network gives; null: not measured. */
  readonly decibels: number | null;
  readonly layers: readonly LayerError[];
  /** Of each value between layers that becomes 8-bit numbers. */
  readonly ranges: Readonly<Record<string, { readonly min: number; readonly max: number }>>;
  readonly zeros: readonly string[];
}

export function quantizationReport({
  quantization,
  method,
  images,
  decibels,
  layers,
  zeros,
}: Calibration): QuantizationReport {
  return { method, images, decibels, layers, ranges: Object.fromEntries(quantization.ranges), zeros };
}

/** Why a layer stays in fp32. */
export const KEPT: Readonly<Record<NonNullable<LayerError["kept"]>, string>> = {
  first: "the first with a weight",
  last: "the last with a weight",
  error: "8-bit numbers change it too much",
  asked: "asked for",
};
