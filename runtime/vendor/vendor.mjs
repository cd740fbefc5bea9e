// Makes dist/onnxruntime/: ONNX Runtime's Node binding as it ships inside this package.
//
// As a dependency, onnxruntime-node would run its install script in everybody's project, and on Linux x64 that script
// downloads CUDA libraries from a host that many networks can't reach: the whole installation fails. So it is installed
// here, by a project of its own whose scripts never run, and what it holds is copied: its JavaScript, and its
// binaries for every system once (the macOS library is in it twice).
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";

const here = import.meta.dirname;
const packages = path.join(here, "node_modules");
const source = path.join(packages, "onnxruntime-node");
const target = path.resolve(here, "../../dist/onnxruntime");

const wanted = readJson(path.join(here, "package.json")).dependencies["onnxruntime-node"];
// Its package.json is written last: what is there is whole.
if (versionIn(target) !== wanted) vendor();

function vendor() {
  if (versionIn(source) !== wanted) install();
  rmSync(target, { recursive: true, force: true });
  copyBinaries(path.join(source, "bin"), path.join(target, "bin"));
  // Types are for this project's own check; what is published names none of them.
  copyCode(path.join(source, "dist"), path.join(target, "lib"), "./common/index.js");
  copyCode(path.join(packages, "onnxruntime-common/dist/cjs"), path.join(target, "lib/common"), "./index.js");
  const { name, version, description, license, repository } = readJson(path.join(source, "package.json"));
  const manifest = { name, version, description, license, repository, type: "commonjs", main: "lib/index.js" };
  writeFileSync(path.join(target, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

function install() {
  const npm = process.env.npm_execpath;
  const [command, before] = npm?.endsWith("js") ? [process.execPath, [npm]] : ["npm", []];
  execFileSync(command, [...before, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: here,
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, npm_config_local_prefix: here, npm_config_prefix: undefined },
  });
}

function copyBinaries(from, to) {
  for (const entry of readdirSync(from, { withFileTypes: true, recursive: true })) {
    // Nothing links to the library by its full version.
    if (!entry.isFile() || /^libonnxruntime\.\d+\.\d+\.\d+\.dylib$/.test(entry.name)) continue;
    const file = path.join(entry.parentPath, entry.name);
    const copy = path.join(to, path.relative(from, file));
    mkdirSync(path.dirname(copy), { recursive: true });
    try {
      linkSync(file, copy);
    } catch {
      copyFileSync(file, copy);
    }
  }
}

/** Modules and their types, which find onnxruntime-common beside them. */
function copyCode(from, to, common) {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from).filter((file) => /\.(js|d\.ts)$/.test(file))) {
    const code = readFileSync(path.join(from, name), "utf8");
    const own = code.replace(/(["'])onnxruntime-common\1/g, `"${common}"`).replace(/^\/\/# sourceMappingURL=.*/m, "");
    writeFileSync(path.join(to, name), own);
  }
}

function versionIn(folder) {
  const file = path.join(folder, "package.json");
  return existsSync(file) && statSync(file).size > 0 ? readJson(file).version : undefined;
}

function readJson(file) {
  return JSON.parse(readFileSync(file, "utf8"));
}
