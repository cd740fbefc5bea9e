// The page of all commands with all their options, from the definitions that --help prints.
import { program } from "../dist/cli/program.js";

/** Text, with what Markdown or Vue would take for their own shown as it is. */
const plain = (text) => text.replace(/[\\`*_{}[\]<>|]/g, (sign) => `\\${sign}`).replace(/\s*\n\s*/g, " ");
const code = (text) => `\`${text.replaceAll("|", "\\|")}\``;
const table = (head, rows) =>
  rows.length === 0
    ? ""
    : [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n") + "\n";

/** Commander's own notes: which values are allowed, and what is taken without one. */
function notes({ argChoices, defaultValue, defaultValueDescription }) {
  const usual = defaultValueDescription ?? (defaultValue === false ? undefined : defaultValue);
  return [
    ...(argChoices ? [`one of ${argChoices.map(code).join(", ")}`] : []),
    ...(usual === undefined || usual === true || String(usual) === "" ? [] : [`default ${code(String(usual))}`]),
  ].join("; ");
}

export async function commandPage() {
  const root = program();
  const parts = root.commands.map((command) => {
    const options = command.options.filter(
      ({ hidden, helpGroupHeading }) => !hidden && helpGroupHeading !== "Everywhere:",
    );
    const examples = afterHelp(command);
    return [
      `## ${command.name()}`,
      `${plain(capital(command.description()))}.`,
      "```sh\n" + `resnetc ${command.name()} ${command.usage()}` + "\n```",
      table(
        ["argument", "what it is"],
        command.registeredArguments.map((each) => [code(each.name()), plain(each.description) + more(notes(each))]),
      ),
      table(
        ["option", "what it does"],
        options.map((each) => [code(each.flags), plain(each.description) + more(notes(each))]),
      ),
      examples === "" ? "" : "```sh\n" + examples + "\n```",
    ]
      .filter((part) => part !== "")
      .join("\n\n");
  });
  return (
    [
      "# Every command and option",
      "What `resnetc COMMAND --help` prints, on one page. [The command line](cli.md) has what the commands share: exit codes, output, `--json`.",
      ...parts,
    ].join("\n\n") + "\n"
  );
}

const more = (text) => (text === "" ? "" : ` (${text})`);
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** The examples behind a command's help, without their heading. */
function afterHelp(command) {
  let text = "";
  command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
  const [, examples = ""] = /\nExamples?:\n([\s\S]*)$/.exec(text) ?? [];
  return examples
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .join("\n");
}
