/** What is around every drawing: size, title, white ground, and rules that hold in it alone, also where a page takes it in. */
import { escapeXml } from "./escape.js";

export interface SvgDocument {
  /** The drawing's class is `resnetc-` and this. */
  readonly kind: "figure" | "chart" | "confusion";
  readonly width: number;
  readonly height: number;
  /** For a reader who can't see it. */
  readonly description: string;
  /** Declarations by selector, `text` or `.note`. */
  readonly rules: Readonly<Record<string, string>>;
  readonly defs?: string;
  readonly body: readonly string[];
}

export function svgDocument({ kind, width, height, description, rules, defs, body }: SvgDocument): string {
  const name = `resnetc-${kind}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" class="${name}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>${escapeXml(description)}</title>
<style>
${Object.entries(rules)
  .map(([selector, declarations]) => `.${name} ${selector} { ${declarations} }`)
  .join("\n")}
</style>
${defs === undefined ? "" : `<defs>${defs}</defs>\n`}<rect width="${width}" height="${height}" fill="#ffffff"/>
${body.join("\n")}
</svg>
`;
}
