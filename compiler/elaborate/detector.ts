/** What the blocks of a detector know without being given it: its `image`, and the `dialect` in force. */
import type { Span } from "../../grammar/ast.js";
import { readDialect } from "./dialect.js";
import type { Environment } from "./environment.js";
import { fail } from "./evaluate.js";
import { siteOf, type Place } from "./place.js";
import { UNKNOWN, type EvalValue } from "./values.js";

interface At {
  readonly span: Span;
}

/** Makes both known to a block's body, unless it has names like these of its own; where there are none, they are errors. */
export function knowDetector(environment: Environment, block: string, use: At, place: Place): void {
  const known: Readonly<Record<string, () => EvalValue>> = {
    image: () => place.network.image ?? noDetector(`\`${block}\``, use, place),
    dialect: () => dialectInForce(`\`${block}\``, use, place),
  };
  for (const [name, get] of Object.entries(known)) {
    if (!environment.own(name)) environment.define(name, { span: use.span, get });
  }
}

/** @param who needs it, for messages */
export function dialectInForce(who: string, use: At, place: Place): EvalValue {
  const { dialect, image } = place.network;
  if (!image) return noDetector(who, use, place);
  if (dialect) return readDialect(dialect, siteOf(place)) ?? UNKNOWN;
  return complain(place, () => {
    const help = "write `dialect detectron2` (std/dialects) before it";
    fail(siteOf(place), "missing-argument", use.span, `${who} needs the detector's dialect`, { help });
  });
}

function noDetector(who: string, use: At, place: Place): EvalValue {
  return complain(place, () => {
    const help = "declare it with `detector` in place of `network`";
    fail(siteOf(place), "misplaced-statement", use.span, `${who} stands in a detector`, { help });
  });
}

/** Networks that have been told what they lack: once is enough. */
const complained = new WeakSet<Place["network"]>();

function complain({ network }: Place, report: () => void): EvalValue {
  if (!complained.has(network)) report();
  complained.add(network);
  return UNKNOWN;
}
