import type { CommandWords, OptionWords } from "./words.js";

/** A script for zsh's completion system. */
export function zsh(commands: readonly CommandWords[]): string {
  const list = commands.map(({ name, description }) => `    ${quoted(`${name}:${description}`)}`).join("\n");
  const cases = commands.map(({ name, options, values }) => {
    const lines = options.flatMap(optionLines);
    const rest =
      values.length === 0
        ? "*:file:_files"
        : `*:name or file:_alternative "names:name:(${values.join(" ")})" "files:file:_files"`;
    return `      ${name}) _arguments ${[...lines, quoted(rest)].join(" \\\n        ")} ;;`;
  });
  return `#compdef resnetc
# Completion of resnetc for zsh: resnetc completion zsh
_resnetc() {
  local -a commands
  commands=(
${list}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local name=\${words[2]}
  shift words
  (( CURRENT-- ))
  case $name in
${cases.join("\n")}
  esac
}
if [ "$funcstack[1]" = _resnetc ]; then _resnetc "$@"; else compdef _resnetc resnetc; fi
`;
}

function optionLines({ flags, description, takesValue, choices }: OptionWords): string[] {
  const text = description.replace(/[[\]:]/g, " ");
  const value = !takesValue ? "" : choices.length > 0 ? `:value:(${choices.join(" ")})` : ":value:_files";
  return flags.map((flag) => quoted(`${flag}[${text}]${value}`));
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
