import type { CommandWords } from "./words.js";

/** A script for bash 3.2 and newer; it needs no package of completions. */
export function bash(commands: readonly CommandWords[]): string {
  const cases = commands.map(({ name, options, values }) => {
    const flags = options.flatMap((option) => option.flags).join(" ");
    const valued = options.filter(({ takesValue }) => takesValue);
    const choices = valued
      .filter((option) => option.choices.length > 0)
      .map((option) => `          ${option.flags.join("|")}) words="${option.choices.join(" ")}" ;;`);
    const files = valued.filter((option) => option.choices.length === 0).flatMap((option) => option.flags);
    return [
      `    ${name})`,
      `      flags="${flags}"`,
      `      values="${values.join(" ")}"`,
      ...(valued.length === 0
        ? []
        : [
            '      case "$previous" in',
            ...choices,
            ...(files.length === 0 ? [] : [`          ${files.join("|")}) words="" files=yes ;;`]),
            "      esac",
          ]),
      "      ;;",
    ].join("\n");
  });
  return `# Completion of resnetc for bash: resnetc completion bash
_resnetc() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local command="" flags="" values="" words=unset files="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in -*) ;; *) command="\${COMP_WORDS[i]}"; break ;; esac
  done
  case "$command" in
    "") words="${commands.map(({ name }) => name).join(" ")}"; case "$current" in -*) words="-v --version -h --help" ;; esac ;;
${cases.join("\n")}
  esac
  if [ "$words" = unset ]; then
    case "$current" in -*) words="$flags" ;; *) words="$values" files=yes ;; esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [ -n "$files" ]; then COMPREPLY+=($(compgen -f -- "$current")); fi
}
complete -o filenames -o bashdefault -F _resnetc resnetc
`;
}
