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

/** `--batch 8`, `--batch dynamic` */
export function batchSize(text: string): number | "dynamic" {
  return text === "dynamic" ? text : wholeNumber(1, 65_536)(text);
}

/** `--input 3x320x320` */
export function inputShape(text: string): readonly [number, number, number] {
  const match = /^(\d{1,6})x(\d{1,6})x(\d{1,6})$/.exec(text);
  const values = match?.slice(1).map(Number) ?? [];
  if (values.length !== 3 || values.some((value) => value < 1)) {
    throw new InvalidArgumentError("channels, height and width are needed, as 3x320x320.");
  }
  return values as unknown as [number, number, number];
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
