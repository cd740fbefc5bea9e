/** Markdown for a terminal: headings bold, code indented and dim, the marks gone. */
type Paint = (text: string) => string;

export function renderMarkdown(
  markdown: string,
  { bold, dim, cyan }: Readonly<Record<"bold" | "dim" | "cyan", Paint>>,
): string {
  let isCode = false;
  const lines: string[] = [];
  for (const line of markdown.split("\n")) {
    if (/^```/.test(line)) {
      isCode = !isCode;
      continue;
    }
    const heading = /^#+ +(.*)$/.exec(line);
    if (isCode) lines.push(line === "" ? "" : `    ${dim(line)}`);
    else if (heading) lines.push(bold(heading[1]!.replaceAll("`", "")));
    else
      lines.push(
        line
          .replace(/`([^`]+)`/g, (_, code: string) => cyan(code))
          .replace(/\*\*([^*]+)\*\*/g, (_, text: string) => bold(text)),
      );
  }
  return lines.join("\n");
}
