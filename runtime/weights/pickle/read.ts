/** A pickle, read: a machine that its operations work on, one after the other. */
import type { ByteCursor } from "../input-file.js";
import { Machine, type PickleObserver } from "./machine.js";
import { OPERATIONS } from "./operations.js";
import type { PickleValue } from "./values.js";

/** The checkpoint of a ResNet-152 with its optimizer's state needs about 200,000. */
const MOST_OPERATIONS = 2_000_000;

/** Reads one pickle at the cursor and leaves the cursor behind it. Throws a WeightsError. */
export function readPickle(cursor: ByteCursor, observer: PickleObserver = {}): PickleValue {
  const machine = new Machine(cursor, observer);
  for (let count = 0; !machine.stopped; count++) {
    if (count === MOST_OPERATIONS) throw machine.damaged(`a pickle of more than ${MOST_OPERATIONS} operations`);
    const at = cursor.position;
    const code = cursor.u8();
    const operation = OPERATIONS.get(code);
    if (!operation)
      throw machine.damaged(`0x${code.toString(16)} at byte ${at} is no operation of pickle protocols 2 to 5`);
    operation(machine);
  }
  return machine.pop();
}
