/**
 * The operations of pickle protocols 2 to 5 by their code, as Python's pickletools names them. Those that only older
 * protocols write (numbers and strings as lines of text) are left out: no weight file has them.
 */
import type { Machine } from "./machine.js";
import type { PickleValue } from "./values.js";

type Operation = (machine: Machine) => void;

const constant =
  (value: PickleValue): Operation =>
  (machine) =>
    machine.push(value);
const character = (text: string): number => text.charCodeAt(0);

/** Python's own bound on the digits of an integer is of this order; longer ones are an attack on the multiplication. */
const LONGEST_INTEGER = 1024;

export const OPERATIONS: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  // Structure of the program
  [0x80, protocol],
  [0x95, (machine) => void machine.cursor.u64()], // FRAME: a hint for buffering
  [character("."), (machine) => (machine.stopped = true)],
  [character("("), (machine) => machine.mark()],
  [character("0"), (machine) => machine.drop()],
  [character("1"), (machine) => void machine.popMark()],
  [character("2"), (machine) => machine.push(machine.top())],

  // Memo
  [character("q"), (machine) => machine.remember(machine.cursor.u8())],
  [character("r"), (machine) => machine.remember(machine.cursor.u32())],
  [0x94, (machine) => machine.remember()],
  [character("h"), (machine) => machine.recall(machine.cursor.u8())],
  [character("j"), (machine) => machine.recall(machine.cursor.u32())],

  // Atoms
  [character("N"), constant(null)],
  [0x88, constant(true)],
  [0x89, constant(false)],
  [character("J"), (machine) => machine.push(machine.cursor.i32())],
  [character("K"), (machine) => machine.push(machine.cursor.u8())],
  [character("M"), (machine) => machine.push(machine.cursor.u16())],
  [0x8a, (machine) => integer(machine, machine.cursor.u8())],
  [0x8b, (machine) => integer(machine, machine.cursor.u32())],
  [character("G"), (machine) => machine.push(machine.cursor.f64BigEndian())],

  // Text and bytes. Python 2 had one type for both, which is read as latin1 so that no byte is lost.
  [character("X"), (machine) => machine.text(machine.cursor.u32(), "utf8")],
  [0x8c, (machine) => machine.text(machine.cursor.u8(), "utf8")],
  [0x8d, (machine) => machine.text(machine.cursor.u64(), "utf8")],
  [character("T"), (machine) => machine.text(machine.cursor.u32(), "latin1")],
  [character("U"), (machine) => machine.text(machine.cursor.u8(), "latin1")],
  [character("B"), (machine) => machine.span(machine.cursor.u32())],
  [character("C"), (machine) => machine.span(machine.cursor.u8())],
  [0x8e, (machine) => machine.span(machine.cursor.u64())],
  [0x96, (machine) => machine.span(machine.cursor.u64())], // BYTEARRAY8

  // Containers
  [character("]"), (machine) => machine.push({ kind: "list", items: [] })],
  [character("l"), (machine) => machine.push({ kind: "list", items: machine.popMark() })],
  [character("a"), (machine) => machine.append([machine.pop()])],
  [character("e"), (machine) => machine.append(machine.popMark())],
  [character(")"), (machine) => machine.push({ kind: "tuple", items: [] })],
  [character("t"), (machine) => machine.push({ kind: "tuple", items: machine.popMark() })],
  [0x85, (machine) => tuple(machine, 1)],
  [0x86, (machine) => tuple(machine, 2)],
  [0x87, (machine) => tuple(machine, 3)],
  [character("}"), (machine) => machine.push({ kind: "dict", entries: [] })],
  [
    character("d"),
    (machine) => {
      const entries = machine.popMark();
      machine.push({ kind: "dict", entries: [] });
      machine.set(entries);
    },
  ],
  [
    character("s"),
    (machine) => {
      const value = machine.pop();
      machine.set([machine.pop(), value]);
    },
  ],
  [character("u"), (machine) => machine.set(machine.popMark())],
  [0x8f, (machine) => machine.push({ kind: "set", items: [] })],
  [0x90, (machine) => machine.append(machine.popMark())],
  [0x91, (machine) => machine.push({ kind: "set", items: machine.popMark() })],

  // Classes, functions and what lies outside
  [character("c"), (machine) => machine.global(machine.line(), machine.line())],
  [
    0x93,
    (machine) => {
      const name = machine.pop();
      machine.global(machine.pop(), name);
    },
  ],
  [
    character("R"),
    (machine) => {
      const values = machine.pop();
      machine.call(machine.pop(), values);
    },
  ],
  [
    0x81, // NEWOBJ
    (machine) => {
      const values = machine.pop();
      machine.call(machine.pop(), values);
    },
  ],
  [
    0x92, // NEWOBJ_EX: keyword arguments are not kept
    (machine) => {
      machine.pop();
      const values = machine.pop();
      machine.call(machine.pop(), values);
    },
  ],
  [character("b"), (machine) => machine.build()],
  [character("Q"), (machine) => machine.persistent(machine.pop())],
]);

function protocol(machine: Machine): void {
  const version = machine.cursor.u8();
  if (version < 2 || version > 5) throw machine.damaged(`pickle protocol ${version}; 2 to 5 are read`);
}

function tuple(machine: Machine, length: number): void {
  const items: PickleValue[] = [];
  for (let i = 0; i < length; i++) items.unshift(machine.pop());
  machine.push({ kind: "tuple", items });
}

/** Two's complement, little-endian. */
function integer(machine: Machine, length: number): void {
  if (length > LONGEST_INTEGER) throw machine.damaged(`an integer of ${length} bytes`);
  const digits = Buffer.from(machine.cursor.bytes(length)).reverse().toString("hex");
  const value = BigInt.asIntN(8 * length, BigInt(`0x${digits || "0"}`));
  machine.push(Number.isSafeInteger(Number(value)) ? Number(value) : value);
}
