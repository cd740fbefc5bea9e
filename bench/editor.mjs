// How long the language server takes in stdlib/detectors.resnet: from a keystroke to its diagnostics, a hover, a completion.
//
//     node bench/editor.mjs [EDITS]          2000 without; npm run build first
//
// A session of somebody who types: a statement, letter by letter, in one place after the other, and takes it back. Between
// two keystrokes everything that was asked for is awaited. Milliseconds, median and 99th percentile; memory of the server.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import {
  createProtocolConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-languageserver-protocol/node";

const edits = Number(process.argv[2] ?? 2000);
const root = new URL("../", import.meta.url);
const whole = readFileSync(new URL("stdlib/detectors.resnet", root), "utf8");
const uri = "file:///session/detectors.resnet";
const TYPED = "\n  conv 3x3, 64   bn   relu";

const server = spawn(process.execPath, [new URL("bin/resnetc.js", root).pathname, "lsp", "--stdio"], {
  stdio: ["pipe", "pipe", "inherit"],
});
const connection = createProtocolConnection(
  new StreamMessageReader(server.stdout),
  new StreamMessageWriter(server.stdin),
);
let heard = () => undefined;
connection.onNotification("textDocument/publishDiagnostics", (published) => heard(published));
connection.listen();
await connection.sendRequest("initialize", { processId: process.pid, rootUri: null, capabilities: {} });
await connection.sendNotification("initialized", {});

let text = whole;
let version = 1;
/** When what is wrong in this version is there. */
const published = () =>
  new Promise((resolve) => (heard = (found) => found.uri === uri && found.version === version && resolve()));
const positionAt = (offset) => {
  const lines = text.slice(0, offset).split("\n");
  return { line: lines.length - 1, character: lines.at(-1).length };
};
async function edit(start, end, typed) {
  const range = { start: positionAt(start), end: positionAt(end) };
  text = text.slice(0, start) + typed + text.slice(end);
  version++;
  const done = published();
  await connection.sendNotification("textDocument/didChange", {
    textDocument: { uri, version },
    contentChanges: [{ range, text: typed }],
  });
  await done;
}
async function timed(times, work) {
  const start = performance.now();
  await work();
  times.push(performance.now() - start);
}

const opened = [];
await timed(opened, async () => {
  const done = published();
  await connection.sendNotification("textDocument/didOpen", {
    textDocument: { uri, languageId: "resnet", version, text },
  });
  await done;
});
const [keystrokes, hovers, completions] = [[], [], []];
const places = [...whole.matchAll(/^ {2}input image .*$/gm)].map((match) => match.index + match[0].length);
const memory = () => Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, "utf8"))?.[1] ?? 0) / 1000;
/** Milliseconds of the processor that the server has had: what a busy machine does not change. */
const processorTime = () => {
  const fields = readFileSync(`/proc/${server.pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
};
let early = 0;
const begun = processorTime();
for (let done = 0, turn = 0; done < edits; turn++) {
  const at = places[turn % places.length];
  for (let i = 0; i < TYPED.length && done < edits; i++, done++) {
    await timed(keystrokes, () => edit(at + i, at + i, TYPED[i]));
    const textDocument = { uri };
    const position = positionAt(at + i + 1);
    await timed(completions, () => connection.sendRequest("textDocument/completion", { textDocument, position }));
    const word = positionAt(text.lastIndexOf("input image", at) + 1);
    await timed(hovers, () => connection.sendRequest("textDocument/hover", { textDocument, position: word }));
    if (done === Math.floor(edits / 4)) early = memory();
  }
  await edit(at, at + (text.length - whole.length), "");
}

const show = (name, times) => {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))].toFixed(1);
  console.log(`${name.padEnd(12)} median ${at(0.5).padStart(7)} ms   p99 ${at(0.99).padStart(7)} ms`);
};
console.log(`opened in ${opened[0].toFixed(0)} ms; ${keystrokes.length} keystrokes`);
show("diagnostics", keystrokes);
show("hover", hovers);
show("completion", completions);
const each = (processorTime() - begun) / keystrokes.length;
console.log(`the server's processor time for a keystroke, its hover and its completion: ${each.toFixed(1)} ms`);
console.log(`memory after a quarter ${early.toFixed(0)} MB, at the end ${memory().toFixed(0)} MB`);
await connection.sendRequest("shutdown");
await connection.sendNotification("exit");
