/**
 * Files that TensorBoard shows: records of TensorFlow's Event messages.
 *
 * A record is the length (uint64), its masked CRC-32C, the data and theirs (tensorflow/core/lib/io/record_writer.h);
 * the messages are those of tensorflow/core/util/event.proto and framework/summary.proto, of which we write these fields.
 */
import { appendFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import protobuf from "protobufjs";
import { fileFailure } from "../files.js";
import { maskedCrc32c } from "./crc32c.js";

const SCHEMA = `syntax = "proto3";
message Event {
  double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5; SessionLog session_log = 7;
}
message Summary {
  repeated Value value = 1;
  message Value { string tag = 1; float simple_value = 2; Image image = 4; }
  message Image { int32 height = 1; int32 width = 2; int32 colorspace = 3; bytes encoded_image_string = 4; }
}
message SessionLog { enum Status { UNSPECIFIED = 0; START = 1; } Status status = 1; }`;

export const Event = protobuf.parse(SCHEMA, { keepCase: true }).root.lookupType("Event");

/** Of framework/summary.proto's colour spaces. */
const RGB = 3;

/** One record with its frame. */
export function frame(data: Uint8Array): Buffer {
  const record = Buffer.alloc(16 + data.length);
  record.writeBigUInt64LE(BigInt(data.length), 0);
  record.writeUInt32LE(maskedCrc32c(record.subarray(0, 8)), 8);
  record.set(data, 12);
  record.writeUInt32LE(maskedCrc32c(data), 12 + data.length);
  return record;
}

export interface EventFile {
  readonly file: string;
  /** Numbers by tag: `train/loss`. */
  scalars(step: number, values: Readonly<Record<string, number>>): void;
  /** A PNG of red, green and blue. */
  image(
    step: number,
    tag: string,
    image: { readonly png: Uint8Array; readonly height: number; readonly width: number },
  ): void;
}

/**
 * Begins a file. TensorBoard shows all files of a folder as one course, and drops from older ones what lies at or after
 * `step`: what was made and lost before the training was taken up again.
 *
 * @throws {FileError}
 */
export function startEventFile(folder: string, step: number): EventFile {
  const seconds = Date.now() / 1000;
  const name = `events.out.tfevents.${Math.floor(seconds)}.${os.hostname()}.${process.pid}.${step}`;
  const file = path.join(folder, name);
  const write = (...events: readonly object[]): void => {
    const records = events.map((event) => frame(Event.encode(Event.create(event)).finish()));
    try {
      appendFileSync(file, Buffer.concat(records));
    } catch (cause) {
      throw fileFailure(file, cause);
    }
  };
  write(
    { wall_time: seconds, file_version: "brain.Event:2" },
    { wall_time: seconds, step, session_log: { status: 1 } },
  );
  return {
    file,
    scalars(step, values) {
      const value = Object.entries(values).map(([tag, simple_value]) => ({ tag, simple_value }));
      write({ wall_time: Date.now() / 1000, step, summary: { value } });
    },
    image(step, tag, { png, height, width }) {
      const image = { height, width, colorspace: RGB, encoded_image_string: png };
      write({ wall_time: Date.now() / 1000, step, summary: { value: [{ tag, image }] } });
    },
  };
}
