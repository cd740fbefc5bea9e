/** Values of options, checked: a wrong one is an error of the command line. */
import { InvalidArgumentError } from "commander";

/** `--seed 7` */
export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^-?\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`a whole number ${range(min, max)} is needed.`);
    }
    return value;
  };
}

/** `--score 0.5` */
export function share(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= 1)) {
    throw new InvalidArgumentError("a number from 0 to 1 is needed.");
  }
  return value;
}

/** `--validation 0.1`, `--validation 500`: below 1 a share, from 1 on how many. */
export function shareOrCount(text: string): number {
  const value = Number(text);
  if (!/^(0?\.\d+|\d+(\.0*)?)$/.test(text) || value > Number.MAX_SAFE_INTEGER) {
    throw new InvalidArgumentError("a share below 1 (0.1) or a whole number is needed.");
  }
  return value;
}

/** `--batch 8`, `--batch dynamic` */
export function batchSize(text: string): number | "dynamic" {
  return text === "dynamic" ? text : wholeNumber(1, 65_536)(text);
}

export type InputShape = readonly [channels: number, height: number | string, width: number | string];

/** `--input 3x320x320`, or with sizes left open `--input 3xHxW` */
export function inputShape(text: string): InputShape {
  const match = /^([1-9]\d{0,5})x([1-9]\d{0,5}|[A-Z]\w*)x([1-9]\d{0,5}|[A-Z]\w*)$/.exec(text);
  if (match === null) throw new InvalidArgumentError("channels, height and width are needed, as 3x320x320 or 3xHxW.");
  const size = (part: string): number | string => (/^\d/.test(part) ? Number(part) : part);
  return [Number(match[1]), size(match[2]!), size(match[3]!)];
}

function range(min: number, max: number): string {
  return max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
}

/** The lines under `--help` that show the command in use. */
export function examples(...lines: readonly (readonly [command: string, meaning: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  return ["", "Examples:", ...lines.map(([command, meaning]) => `  ${command.padEnd(width)}  # ${meaning}`)].join("\n");
}

export const TARGET = 'a file, file#Network, or a standard name: ResNet50, "CifarResNet(depth: 20)"';

export const MODEL_OR_TARGET = `a .onnx file, or ${TARGET}`;

/** `--precision fp16` */
export function precision(text: string): "fp32" | "fp16" | "int8" {
  if (text !== "fp32" && text !== "fp16" && text !== "int8") {
    throw new InvalidArgumentError("fp32, fp16 or int8 is needed.");
  }
  return text;
}

/** `--scales 224,256,384`, `--batch 1,8` */
export function wholeNumbers(min: number, max: number): (text: string) => number[] {
  const parse = wholeNumber(min, max);
  return (text) => text.split(",").map(parse);
}
