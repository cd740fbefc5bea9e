/** Caffe's files: a NetParameter whose layers have blobs of floats (src/caffe/proto/caffe.proto). */

/** @param layers blobs of each by its name, in order; all are vectors */
export function caffeFile(layers: Readonly<Record<string, readonly (readonly number[])[]>>): Buffer {
  const messages = Object.entries(layers).map(([name, blobs]) => {
    const values = blobs.map((blob) => field(7, field(5, Buffer.from(Float32Array.from(blob).buffer))));
    return field(100, Buffer.concat([field(1, Buffer.from(name)), ...values]));
  });
  return Buffer.concat(messages);
}

/** Of a length that follows the number. */
function field(number: number, content: Buffer): Buffer {
  return Buffer.concat([varint(number * 8 + 2), varint(content.length), content]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  return Buffer.from([...bytes, value]);
}
