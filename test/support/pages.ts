/** The project's Markdown: pages, their examples, headings and links. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

export const ROOT = path.resolve(import.meta.dirname, "../..");

/** An example: what stands between two fences. */
export interface Block {
  /** `sh`, `ts`, `resnet`, ... */
  readonly language: string;
  /** What follows the language: the name of a file, for an example that is one. */
  readonly name: string;
  readonly code: string;
  readonly line: number;
}

export interface Page {
  /** From the root, with `/`. */
  readonly file: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  /** Ids of headings, as GitHub and the site make them. */
  readonly anchors: ReadonlySet<string>;
  /** Targets of links and images, as they are written. */
  readonly links: readonly string[];
}

/** README, changelog, everything in docs/, and the examples' pages. */
export const PAGES: readonly Page[] = [
  "README.md",
  "CHANGELOG.md",
  ...["docs", "examples"].flatMap((folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".md"))
      .map((name) => `${folder}/${name.replaceAll(path.sep, "/")}`)
      .sort(),
  ),
].map((file) => page(file));

export function page(file: string): Page {
  const text = readFileSync(path.join(ROOT, file), "utf8");
  const blocks: Block[] = [];
  const prose = text.replace(/^```(\w[\w-]*)?(.*)\n([\s\S]*?)^```$/gm, (whole, language = "", name = "", code = "") => {
    const line = text.slice(0, text.indexOf(whole)).split("\n").length;
    blocks.push({ language: String(language), name: String(name).trim(), code: String(code), line });
    return "";
  });
  const anchors = new Set<string>();
  for (const [, heading] of prose.matchAll(/^#+ (.*)$/gm)) {
    const plain = slug(heading!.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/[`*]/g, ""));
    let anchor = plain;
    for (let n = 1; anchors.has(anchor); n++) anchor = `${plain}-${n}`;
    anchors.add(anchor);
  }
  const unquoted = prose.replace(/`[^`\n]*`/g, "");
  const links = [...unquoted.matchAll(/\]\(([^)\s]+)(?: "[^"]*")?\)|<(https?:[^>]+)>|(?:src|href)="([^"]+)"/g)].map(
    (match) => match[1] ?? match[2] ?? match[3]!,
  );
  return { file, text, blocks, anchors, links };
}

/** A heading's anchor on GitHub; the site is told to make the same (site/pages.mjs). */
function slug(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Mark}\p{Number}\p{Connector_Punctuation}\- ]/gu, "")
    .replaceAll(" ", "-");
}

/** Commands of a shell example, each as the words that the shell makes of it. */
export function shellCommands(code: string): string[][] {
  const commands: string[][] = [];
  for (const line of code.replace(/\\\n\s*/g, " ").split("\n")) {
    let words: string[] = [];
    const end = (): void => {
      if (words.length > 0) commands.push(words);
      words = [];
    };
    // A word is made of quoted and bare parts; operators part commands; a # after a blank begins a comment.
    for (const [token] of line.matchAll(/#.*|&&|\|\||[|;&]|[<>]+\s*\S+|(?:"[^"]*"|'[^']*'|[^\s"'|;&<>])+/g)) {
      if (token.startsWith("#")) break;
      if (/^(&&|[|;&]+)$/.test(token)) end();
      else if (!/^[<>]/.test(token)) words.push(token.replace(/"([^"]*)"|'([^']*)'/g, "$1$2"));
    }
    end();
  }
  return commands;
}

/** What of these commands is given to `resnetc`: the words behind its name. */
export function resnetcCommands(code: string): string[][] {
  return shellCommands(code).flatMap((words) => {
    const rest = words[0] === "npx" ? words.slice(1) : words;
    return rest[0] === "resnetc" ? [rest.slice(1)] : [];
  });
}
