/**
 * Who has not come: a rank that has waited too long asks all others whether they wait at the same place. Those that do answer;
 * those that compute, hang or are stopped don't.
 */
import type { Bindings } from "./bindings.js";

const ASK = 1;
const ANSWER = 2;

export class RollCall {
  readonly #mpi: Bindings;
  readonly #rank: number;
  readonly #size: number;
  readonly #place = new Float64Array(1);
  readonly #flag = new Int32Array(1);
  /** As large as the largest MPI_Status there is. */
  readonly #status = new Uint8Array(64);

  constructor(mpi: Bindings, rank: number, size: number) {
    this.#mpi = mpi;
    this.#rank = rank;
    this.#size = size;
  }

  /** Of a rank that waits: answers those that ask for this place. */
  answer(place: number): void {
    for (const from of this.#others()) {
      while (this.#take(from, ASK) !== undefined) this.#tell(from, ANSWER, place);
    }
  }

  ask(place: number): void {
    for (const other of this.#others()) this.#tell(other, ASK, place);
  }

  /** Adds those that have answered, for this place, since it was asked. */
  collect(place: number, present: Set<number>): void {
    for (const from of this.#others()) {
      for (let told = this.#take(from, ANSWER); told !== undefined; told = this.#take(from, ANSWER)) {
        if (told === place) present.add(from);
      }
    }
  }

  #others(): number[] {
    return Array.from({ length: this.#size }, (_, rank) => rank).filter((rank) => rank !== this.#rank);
  }

  /** A message of eight bytes goes without the receiver being there. */
  #tell(to: number, tag: number, place: number): void {
    const { call, constants } = this.#mpi;
    this.#place[0] = place;
    call.Send(this.#place, 1, constants.double, to, tag, constants.world);
  }

  #take(from: number, tag: number): number | undefined {
    const { call, constants } = this.#mpi;
    call.Iprobe(from, tag, constants.world, this.#flag, this.#status);
    if (this.#flag[0] === 0) return undefined;
    call.Recv(this.#place, 1, constants.double, from, tag, constants.world, this.#status);
    return this.#place[0];
  }
}
