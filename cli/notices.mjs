// dist/THIRD-PARTY-NOTICES.txt: whose code is inside the files that are published, and under which licence. What is
// only a dependency brings its own.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

const ONNX_RUNTIME_LICENCE = `MIT License

Copyright (c) Microsoft Corporation

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.`;

/** @param {import("esbuild").Metafile[]} metafiles what went into the bundles */
export function writeNotices(metafiles, file) {
  const bundled = noticesOf(metafiles);
  const { version } = JSON.parse(readFileSync("dist/onnxruntime/package.json", "utf8"));
  const runtime = section(`onnxruntime-node and onnxruntime-common ${version}`, "MIT", ONNX_RUNTIME_LICENCE);
  const font = readFileSync("runtime/detection/overlay/font/LICENSE", "utf8").trim();
  const text = [
    HEAD,
    ...bundled,
    runtime,
    section("DejaVu Sans Bold 2.37, glyphs as outlines", "Bitstream Vera", font),
  ];
  writeFileSync(file, `${text.join("\n\n")}\n`);
}

/** One for each package that went into these bundles. */
export function noticesOf(metafiles) {
  const folders = new Set(metafiles.flatMap(({ inputs }) => Object.keys(inputs)).flatMap(packageFolder));
  return [...folders].sort().map(notice);
}

const HEAD = "resnetc is distributed with code of these projects inside its own files.";

function packageFolder(input) {
  return input.match(/^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/)?.slice(0, 1) ?? [];
}

function notice(folder) {
  const { name, version, license } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  const files = readdirSync(folder).filter((entry) => /^(licen[cs]e|notice|copying)/i.test(entry));
  const texts = files.map((entry) => readFileSync(path.join(folder, entry), "utf8").trim());
  if (texts.length === 0) texts.push(`(its package holds no licence text; its licence is ${license})`);
  return section(`${name} ${version}`, license, texts.join("\n\n"));
}

function section(title, licence, text) {
  return `${"-".repeat(80)}\n${title} (${licence})\n${"-".repeat(80)}\n\n${text}`;
}
