/** Writes the one pickle that we need: a torch state_dict, in protocol 2 as torch.save writes it. */

export interface PickledTensor {
  readonly name: string;
  /** Name of the entry with its data. */
  readonly key: string;
  /** `FloatStorage` */
  readonly storage: string;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  /** Elements. */
  readonly count: number;
}

/** `OrderedDict` of `_rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())` by name. */
export function pickleStateDict(tensors: readonly PickledTensor[]): Uint8Array {
  const writer = new PickleWriter();
  writer.global("collections", "OrderedDict").code(")R(");
  for (const tensor of tensors) {
    writer.text(tensor.name).global("torch._utils", "_rebuild_tensor_v2").code("((");
    writer
      .text("storage")
      .global("torch", tensor.storage)
      .text(tensor.key)
      .text("cpu")
      .integer(tensor.count)
      .code("tQ");
    writer.integer(0).tuple(tensor.shape).tuple(tensor.strides).code("\x89");
    writer.global("collections", "OrderedDict").code(")RtR");
  }
  return writer.code("u.").bytes();
}

class PickleWriter {
  readonly #parts: Buffer[] = [Buffer.of(0x80, 2)];

  /** Operations without arguments, by their letters. */
  code(letters: string): this {
    this.#parts.push(Buffer.from(letters, "latin1"));
    return this;
  }

  global(module: string, name: string): this {
    return this.code(`c${module}\n${name}\n`);
  }

  text(text: string): this {
    const bytes = Buffer.from(text, "utf8");
    const head = Buffer.alloc(5, "X");
    head.writeUInt32LE(bytes.length, 1);
    this.#parts.push(head, bytes);
    return this;
  }

  integer(value: number): this {
    const head = Buffer.alloc(value < 2 ** 31 ? 5 : 10);
    if (value < 2 ** 31) {
      head.write("J", 0, "latin1");
      head.writeInt32LE(value, 1);
    } else {
      head.set([0x8a, 8]);
      head.writeBigInt64LE(BigInt(value), 2);
    }
    this.#parts.push(head);
    return this;
  }

  tuple(values: readonly number[]): this {
    this.code("(");
    for (const value of values) this.integer(value);
    return this.code("t");
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#parts);
  }
}
