import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { crc32c, maskedCrc32c } from "../../../runtime/training/crc32c.js";
import { Event, startEventFile } from "../../../runtime/training/event-file.js";

const folder = await mkdtemp(path.join(tmpdir(), "resnetc-events-"));
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("CRC-32C", () => {
  it("gives the values of RFC 3720, appendix B.4", () => {
    const rising = Uint8Array.from({ length: 32 }, (_, index) => index);
    expect(crc32c(new Uint8Array(32)).toString(16)).toBe("8a9136aa");
    expect(crc32c(new Uint8Array(32).fill(0xff)).toString(16)).toBe("62a8ab43");
    expect(crc32c(rising).toString(16)).toBe("46dd794e");
    expect(crc32c(rising.toReversed()).toString(16)).toBe("113fdb5c");
    expect(crc32c(Buffer.from("123456789")).toString(16)).toBe("e3069283");
  });

  it("is masked as record files mask it", () => {
    // leveldb's util/crc32c.h: rotated right by 15 bits, plus a constant; unmasked it is the checksum again.
    const crc = crc32c(Buffer.from("foo"));
    const masked = maskedCrc32c(Buffer.from("foo"));
    const rotated = (masked - 0xa282ead8) >>> 0;
    expect(masked).not.toBe(crc);
    expect(((rotated >>> 17) | (rotated << 15)) >>> 0).toBe(crc);
  });
});

/** The records of a file, their checksums verified. */
function records(bytes: Buffer): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = Number(bytes.readBigUInt64LE(at));
    expect(bytes.readUInt32LE(at + 8)).toBe(maskedCrc32c(bytes.subarray(at, at + 8)));
    const data = bytes.subarray(at + 12, at + 12 + length);
    expect(bytes.readUInt32LE(at + 12 + length)).toBe(maskedCrc32c(data));
    found.push(data);
    at += 16 + length;
  }
  return found;
}

describe("event files", () => {
  it("begin with the version, say where a training was taken up, and hold numbers by tag", async () => {
    const events = startEventFile(folder, 40);
    events.scalars(41, { "train/loss": 2.5, "train/learning_rate": 0.1 });
    events.scalars(42, { "train/loss": 2.25 });
    expect(path.basename(events.file)).toMatch(/^events\.out\.tfevents\.\d+\./);
    const read = records(await readFile(events.file)).map((data) =>
      Event.toObject(Event.decode(data), { longs: Number }),
    );
    expect(read).toMatchObject([
      { file_version: "brain.Event:2" },
      { step: 40, session_log: { status: 1 } },
      {
        step: 41,
        summary: {
          value: [
            { tag: "train/loss", simple_value: 2.5 },
            { tag: "train/learning_rate", simple_value: Math.fround(0.1) },
          ],
        },
      },
      { step: 42, summary: { value: [{ tag: "train/loss", simple_value: 2.25 }] } },
    ]);
  });

  it("say in one line where they can't be written", () => {
    expect(() => startEventFile(path.join(folder, "missing"), 0)).toThrow(/can't be written: the folder is not there$/);
  });
});
