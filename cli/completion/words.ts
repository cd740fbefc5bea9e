/** What can be typed, taken from the definitions of the commands. */
import type { Command } from "commander";

export interface OptionWords {
  /** `-o`, `--output` */
  readonly flags: readonly string[];
  readonly description: string;
  readonly takesValue: boolean;
  /** Values that it can have; empty where it is a file or anything else. */
  readonly choices: readonly string[];
}

export interface CommandWords {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionWords[];
  /** Words that its arguments can be, besides files. */
  readonly values: readonly string[];
}

/** @param targets standard names */
export function wordsOf(root: Command, targets: readonly string[]): readonly CommandWords[] {
  const names = root.commands.map((command) => command.name());
  return root.commands.map((command) => ({
    name: command.name(),
    description: command.description(),
    options: [
      ...command.options.map(({ short, long, description, argChoices, required, optional }) => ({
        flags: [short, long].filter((flag) => flag !== undefined),
        description,
        takesValue: required || optional,
        choices: argChoices ?? [],
      })),
      { flags: ["-h", "--help"], description: "show its help", takesValue: false, choices: [] },
    ],
    values: command.registeredArguments.flatMap((argument) => {
      if (argument.argChoices !== undefined) return argument.argChoices;
      if (command.name() === "help") return names;
      return /target|model|networks/.test(argument.name()) ? targets : [];
    }),
  }));
}
