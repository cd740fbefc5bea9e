import type { CommandWords } from "./words.js";

/** A script for fish. */
export function fish(commands: readonly CommandWords[]): string {
  const lines = ["# Completion of resnetc for fish: resnetc completion fish"];
  for (const { name, description, options, values } of commands) {
    lines.push(`complete -c resnetc -n __fish_use_subcommand -f -a ${name} -d ${quoted(description)}`);
    const when = `-n "__fish_seen_subcommand_from ${name}"`;
    if (values.length > 0) lines.push(`complete -c resnetc ${when} -a ${quoted(values.join(" "))}`);
    for (const { flags, description: meaning, takesValue, choices } of options) {
      const names = flags.map((flag) => (flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
      const value = !takesValue ? [] : choices.length > 0 ? ["-x", "-a", quoted(choices.join(" "))] : ["-r"];
      lines.push(["complete -c resnetc", when, ...names, ...value, "-d", quoted(meaning)].join(" "));
    }
  }
  return `${lines.join("\n")}\n`;
}

const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
