/** Where text goes: data on the standard output, everything else on the standard error. */
import { createColors } from "picocolors";
import { ANSI_COLORS, NO_COLORS, type Palette } from "../compiler/diagnostics/render.js";

type Stream = NodeJS.WriteStream & { fd: 1 | 2 };

/** FORCE_COLOR wins over NO_COLOR; without either, colours are for terminals that have them (`isTTY` is undefined on others). */
function coloured(stream: Stream): boolean {
  const { FORCE_COLOR, NO_COLOR, TERM } = process.env;
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== "0" && FORCE_COLOR !== "false";
  if (NO_COLOR !== undefined && NO_COLOR !== "") return false;
  return Boolean(stream.isTTY) && TERM !== "dumb";
}

const outColours = createColors(coloured(process.stdout));
const errorColours = createColors(coloured(process.stderr));

export type Colours = typeof outColours;

export const colours = { out: outColours, error: errorColours };

export function palette(stream: "out" | "error"): Palette {
  return colours[stream].isColorSupported ? ANSI_COLORS : NO_COLORS;
}

/** Data: what another program might read. */
export function print(text: string): void {
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, undefined, 2));
}

/** News for people. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

export function sayError(message: string): void {
  say(`${errorColours.red("error:")} ${message}`);
}

export function sayWarning(message: string): void {
  say(`${errorColours.yellow("warning:")} ${message}`);
}

/** `1,024` */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** `1 error`, `2 errors` */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** `1.8 GB`: decimal units, three digits at most. */
export function byteSize(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit > 0 && value < 99.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** `42 s`, `2 min`, `3 h 20 min` */
export function duration(seconds: number): string {
  if (seconds < 99.5) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
