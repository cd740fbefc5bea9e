/**
 * Loaded before a program (`node --import`): kills it with SIGKILL in the middle of what it does to a file.
 *
 *     RESNETC_KILL_AT='{ "file": "step-\\d+\\.safetensors", "moment": "half", "count": 2 }'
 *
 * - `file`: a regular expression; what is done to paths that it matches is counted, in the thread that does it. Of a
 *   renaming and a linking the paths are `OLD to NEW`.
 * - `moment`: of a writing `half`, when half of its bytes are written; of a renaming, linking or removing `before` or
 *   `after`.
 * - `count`: at the first such moment, or a later one.
 */
import fs from "node:fs";
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

const { file, moment, count } = JSON.parse(process.env.RESNETC_KILL_AT);
const pattern = new RegExp(file);
let seen = 0;

/** Never returns at the moment that was asked for. */
function at(name, path) {
  if (name !== moment || !pattern.test(String(path)) || ++seen < count) return;
  process.kill(process.pid, "SIGKILL");
  // The signal takes a moment, in which nothing more is to happen.
  for (;;);
}

for (const name of ["rename", "link", "rm"]) {
  const original = promises[name];
  promises[name] = async (...args) => {
    const paths = args.filter((each) => typeof each === "string").join(" to ");
    at("before", paths);
    const done = await original(...args);
    at("after", paths);
    return done;
  };
}

const open = promises.open;
promises.open = async (path, ...more) => {
  const handle = await open(path, ...more);
  const write = handle.write.bind(handle);
  handle.write = async (bytes, from = 0, length = bytes.byteLength - from, ...others) => {
    const [first, rest] = [length >> 1, length - (length >> 1)];
    await write(bytes, from, first, ...others);
    at("half", path);
    await write(bytes, from + first, rest, ...others);
    return { bytesWritten: length, buffer: bytes };
  };
  return handle;
};

const names = new Map();
const openSync = fs.openSync;
fs.openSync = (path, ...more) => {
  const descriptor = openSync(path, ...more);
  names.set(descriptor, path);
  return descriptor;
};
const writeSync = fs.writeSync;
fs.writeSync = (descriptor, bytes, from = 0, length = bytes.byteLength - from, ...more) => {
  const first = writeSync(descriptor, bytes, from, length >> 1, ...more);
  at("half", names.get(descriptor));
  return first + writeSync(descriptor, bytes, from + first, length - first, ...more);
};
const appendFileSync = fs.appendFileSync;
fs.appendFileSync = (path, data, ...more) => {
  const bytes = Buffer.from(data);
  appendFileSync(path, bytes.subarray(0, bytes.length >> 1), ...more);
  at("half", path);
  appendFileSync(path, bytes.subarray(bytes.length >> 1), ...more);
};
syncBuiltinESMExports();
