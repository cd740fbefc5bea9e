/**
 * Where text goes: data on the standard output, everything else on the standard error. Much of it is other people's: names
 * of files, lines of sources, labels, errors of libraries. All that is written passes through {@link forTerminal}, which
 * shows control characters as escapes and lets our own colours through.
 */
import { randomUUID } from "node:crypto";
import { createColors } from "picocolors";
import type { Palette } from "../compiler/diagnostics/render.js";
import { jsonText, visible } from "../compiler/diagnostics/text.js";

type Stream = NodeJS.WriteStream & { fd: 1 | 2 };

/** `--color` and `--no-color` win, then FORCE_COLOR over NO_COLOR; without either, colours are for terminals that have them (`isTTY` is undefined on others). */
function coloured(stream: Stream): boolean {
  const { FORCE_COLOR, NO_COLOR, TERM } = process.env;
  // Read here and not by a command, so that what is wrong with the command line itself is coloured alike.
  const flag = process.argv.findLast((argument) => argument === "--color" || argument === "--no-color");
  if (flag !== undefined) return flag === "--color";
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== "0" && FORCE_COLOR !== "false";
  if (NO_COLOR !== undefined && NO_COLOR !== "") return false;
  return Boolean(stream.isTTY) && TERM !== "dumb";
}

/** Begins our own colours until they are written. New in each process, so that nobody else's text has it in it. */
const OWN = `\u{f8ff}${randomUUID()}`;
const OWN_COLOUR = new RegExp(`${OWN}[0-9;]*m`, "g");

const NAMES = ["bold", "dim", "red", "green", "yellow", "cyan"] as const;
type Paint = (text: string) => string;
export type Colours = Readonly<Record<(typeof NAMES)[number], Paint>>;

function coloursOf(stream: Stream): Colours {
  const colours = createColors(coloured(stream));
  const paint = (name: (typeof NAMES)[number]): Paint => {
    const [open = "", close = ""] = colours[name]("|")
      .split("|")
      .map((escape) => escape.replace("\u001b[", OWN));
    // A colour inside ends with what ends this one too.
    return (text) => (open === "" ? text : open + text.replaceAll(close, close + open) + close);
  };
  return Object.fromEntries(NAMES.map((name) => [name, paint(name)])) as Colours;
}

export const colours = { out: coloursOf(process.stdout), error: coloursOf(process.stderr) };

export function palette(stream: "out" | "error"): Palette {
  const { red: error, yellow: warning, cyan: place, dim, green: help } = colours[stream];
  return { error, warning, place, dim, help };
}

/** As a terminal may get it: control characters of others as escapes (`\x1b`), our colours as colours. */
export function forTerminal(text: string): string {
  return visible(text).replaceAll(OWN, "\u001b[");
}

/** Columns that a text takes, colours being none. */
export function visibleLength(text: string): number {
  return visible(text.replace(OWN_COLOUR, "")).length;
}

/** Text that another program might read. */
export function print(text: string): void {
  process.stdout.write(forTerminal(text.endsWith("\n") ? text : `${text}\n`));
}

/** A whole file: to a file or program as it is. */
export function printFile(text: string): void {
  process.stdout.write(process.stdout.isTTY ? forTerminal(text) : text);
}

let jsonPrinted = false;

export function printJson(value: unknown): void {
  if (silent) return;
  jsonPrinted = true;
  process.stdout.write(`${jsonText(value, 2)}\n`);
}

export function isJsonPrinted(): boolean {
  return jsonPrinted;
}

let quiet = false;

/** `--quiet`: errors, warnings and data alone. */
export function beQuiet(): void {
  quiet = true;
}

export function isQuiet(): boolean {
  return quiet;
}

let silent = false;

/** Of several processes that do the same, for those that need not say it too: errors alone. */
export function beSilent(): void {
  quiet = true;
  silent = true;
}

/** News for people, on the standard error. */
export function log(text: string): void {
  if (!quiet) logAlways(text);
}

/** What is wrong: `--quiet` keeps it. */
export function logAlways(text: string): void {
  if (!silent) write(text);
}

export function logError(message: string): void {
  write(`${colours.error.red("error:")} ${message}`);
}

function write(text: string): void {
  process.stderr.write(forTerminal(`${text}\n`));
}

const warnings: string[] = [];

/** All that {@link logWarning} was given, for reports. */
export function loggedWarnings(): readonly string[] {
  return warnings;
}

export function logWarning(message: string): void {
  warnings.push(message);
  logAlways(`${colours.error.yellow("warning:")} ${message}`);
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
