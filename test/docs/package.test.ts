/** What `npm pack` takes: everything that is named, nothing that is left over. Looks at dist/ as it is built. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, it } from "vitest";

const ROOT = path.resolve(import.meta.dirname, "../..");

interface Manifest {
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly imports: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as Manifest;

let files: readonly { readonly path: string; readonly size: number }[];
let names: Set<string>;

beforeAll(async () => {
  const { stdout } = await promisify(execFile)("npm", ["pack", "--json", "--dry-run", "--ignore-scripts"], {
    cwd: ROOT,
    maxBuffer: 64e6,
  });
  // An array, and from npm 12 on an object by package name.
  const [packed] = Object.values(JSON.parse(stdout) as Record<string, { files: typeof files }>);
  files = packed!.files;
  names = new Set(files.map((file) => file.path));
}, 240_000);

/** What a path must look like, each with an example of why it is there. */
const EXPECTED: readonly RegExp[] = [
  /^(package\.json|README\.md|CHANGELOG\.md|LICENSE)$/,
  /^bin\/resnetc\.js$/,
  /^dist\/THIRD-PARTY-NOTICES\.txt$/,
  /^dist\/bundle\/[\w-]+\.js$/,
  /^dist\/(compiler|grammar|runtime)\/.*\.(js|d\.ts)$/,
  /^dist\/onnxruntime\/(package\.json|lib\/.*\.js|bin\/napi-v6\/(linux|darwin|win32)\/(x64|arm64)\/[\w.]+)$/,
  /^stdlib\/\w+\.resnet$/,
  /^cli\/templates\//,
  /^editors\/vscode\/syntaxes\/resnet\.tmLanguage\.json$/,
  /^docs\/.*\.(md|svg|png|jpg|json)$/,
  /^examples\//,
];

it("holds nothing else", () => {
  expect([...names].filter((name) => !EXPECTED.some((pattern) => pattern.test(name)))).toEqual([]);
  expect([...names].filter((name) => /\.map$|tfevents|metrics\.jsonl|checkpoints/.test(name))).toEqual([]);
});

it("holds no output of a source that is gone", () => {
  const outputs = [...names].flatMap(
    (name) => name.match(/^dist\/((?:compiler|grammar|runtime)\/.*)\.(?:js|d\.ts)$/)?.[1] ?? [],
  );
  expect(outputs.length).toBeGreaterThan(500);
  expect(outputs.filter((output) => !existsSync(path.join(ROOT, `${output}.ts`)))).toEqual([]);
});

it("holds what package.json points at", () => {
  const { bin, exports, imports } = manifest;
  const targets = [
    bin,
    ...Object.values({ ...exports, ...imports }).map((target) => (typeof target === "string" ? { target } : target)),
  ]
    .flatMap((target) => Object.values(target))
    .map((target) => target.replace(/^\.\//, ""))
    // Types of the copy are for the project's own check.
    .filter((target) => !/^dist\/onnxruntime\/.*\.d\.ts$/.test(target));
  expect(targets.length).toBeGreaterThan(8);
  expect(targets.filter((target) => !target.includes("*") && !names.has(target))).toEqual([]);
});

it("its pages link to files that it holds", () => {
  const broken = [...names]
    .filter((name) => name.endsWith(".md") && !name.startsWith("cli/templates/"))
    .flatMap((page) => {
      const text = readFileSync(path.join(ROOT, page), "utf8");
      const links = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)\s#]+)/g)].map(([, link]) =>
        path.posix.join(path.posix.dirname(page), link!),
      );
      return links.filter((link) => !holds(link)).map((link) => `${page} -> ${link}`);
    });
  expect(broken).toEqual([]);
});

function holds(link: string): boolean {
  const folder = `${link.replace(/\/$/, "")}/`;
  return names.has(link) || [...names].some((name) => name.startsWith(folder));
}

it("is no larger than it has to be", () => {
  const megabytes = (of: typeof files): number => of.reduce((sum, { size }) => sum + size, 0) / 1e6;
  const runtime = files.filter((file) => file.path.startsWith("dist/onnxruntime/"));
  expect(megabytes(runtime)).toBeLessThan(260);
  expect(megabytes(files) - megabytes(runtime)).toBeLessThan(12);
});

it("nothing runs when it is installed: no script of ours, no dependency with one", () => {
  const atInstall = ["preinstall", "install", "postinstall", "prepare"];
  const scripts = [path.join(ROOT, "package.json"), ...withDependencies(Object.keys(manifest.dependencies))].flatMap(
    (file) => {
      const { scripts = {} } = JSON.parse(readFileSync(file, "utf8")) as Partial<Manifest>;
      // `prepare` runs for what is not from a registry: this package, as a tarball.
      return atInstall
        .filter((name) => name in scripts && (name !== "prepare" || file.startsWith(path.join(ROOT, "package"))))
        .map((name) => `${file}: ${name}`);
    },
  );
  expect(scripts).toEqual([]);
});

/** The package.json of each of these and of all that they depend on, as they are installed here. */
function withDependencies(wanted: readonly string[], found = new Set<string>()): ReadonlySet<string> {
  for (const name of wanted) {
    const file = path.join(ROOT, "node_modules", name, "package.json");
    if (found.has(file) || !existsSync(file)) continue;
    found.add(file);
    const { dependencies = {} } = JSON.parse(readFileSync(file, "utf8")) as Partial<Manifest>;
    withDependencies(Object.keys(dependencies), found);
  }
  return found;
}
