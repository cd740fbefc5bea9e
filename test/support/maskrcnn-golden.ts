/** What torchvision's maskrcnn_resnet50_fpn finds, and how it pastes masks (test/oracle/maskrcnn_golden.py). */
import fs from "node:fs";
import { fileURLToPath } from "node:url";
import type { TensorSource } from "../../runtime/weights/source.js";
import { fasterRcnnTensors, oldName as oldFasterRcnnName } from "./fasterrcnn-golden.js";
import { oracleSource, type Ranges } from "./oracle-weights.js";

/** Probabilities of a mask in its image at some places: row, column, value. */
type Samples = readonly (readonly [y: number, x: number, value: number])[];

export interface MaskRcnnGolden {
  readonly input: {
    readonly images: readonly { readonly name: string; readonly size: readonly [height: number, width: number] }[];
    readonly shorter: number;
    readonly longest: number;
  };
  readonly ranges: Ranges;
  /** Of each image, best first; labels count the background. */
  readonly found: readonly {
    readonly boxes: string;
    readonly scores: string;
    readonly labels: readonly number[];
    /** Of some of them: probabilities on 28 x 28 places; COCO's text of what is likelier than not in the image. */
    readonly masks: readonly {
      readonly row: number;
      readonly grid: string;
      readonly rle: string;
      readonly samples: Samples;
    }[];
  }[];
  /** How far torchvision's values are from its own in float64. */
  readonly float64: { readonly boxes: number; readonly scores: number; readonly grids: number };
}

export interface PastingGolden {
  readonly size: readonly [height: number, width: number];
  readonly cases: readonly {
    /** Of the grid's values, 0 to 1. */
    readonly name: string;
    readonly side: number;
    readonly box: readonly [number, number, number, number];
    /** Of the probabilities in the image. */
    readonly sum: number;
    readonly rle: string;
    readonly samples: Samples;
  }[];
}

function read(name: string): unknown {
  const file = fileURLToPath(new URL(`../golden/maskrcnn/${name}.json`, import.meta.url));
  return JSON.parse(fs.readFileSync(file, "utf8"));
}

export function maskRcnnGolden(name: "image" | "image_batch" | "none"): MaskRcnnGolden {
  return read(name) as MaskRcnnGolden;
}

export function pastingGolden(): PastingGolden {
  return read("pasting") as PastingGolden;
}

/** Names and shapes of a state_dict of maskrcnn_resnet50_fpn. */
export function maskRcnnTensors(): Record<string, readonly number[]> {
  return { ...fasterRcnnTensors(), ...(read("tensors") as Record<string, readonly number[]>) };
}

export function maskRcnnSource({ ranges }: Pick<MaskRcnnGolden, "ranges">): TensorSource {
  return oracleSource("maskrcnn.pth", maskRcnnTensors(), ranges);
}

/** Names that torchvision had before 0.13, which its released weights have. */
export function oldName(name: string): string {
  const mask = /^(roi_heads\.mask_head\.)(\d)\.0\.(.*)$/.exec(name);
  return mask ? `${mask[1]}mask_fcn${Number(mask[2]) + 1}.${mask[3]}` : oldFasterRcnnName(name);
}
