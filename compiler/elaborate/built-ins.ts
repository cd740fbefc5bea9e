/** The names that every file knows without declaring them: `none`, the functions, and the layers as values. */
import type { Argument } from "../../grammar/ast.js";
import { bindSome } from "./bind.js";
import { Environment } from "./environment.js";
import { FUNCTIONS } from "./functions.js";
import { LAYER_WORDS } from "./layer-words.js";
import type { Site } from "./site.js";
import {
  NONE,
  UNKNOWN,
  type EvalValue,
  type LayerArguments,
  type LayerValue,
  type LayerWord,
  type Unknown,
} from "./values.js";

/** `relu`, `group_norm(32)`: what a statement of it does, where a name stands for it. */
function layer(word: LayerWord, given: LayerArguments): LayerValue {
  return {
    kind: "layer",
    word,
    given,
    with(args: readonly Argument[], site: Site): LayerValue | Unknown {
      const bound = bindSome(`\`${word.name}\``, word.arguments, args, site, given);
      return bound ? layer(word, bound) : UNKNOWN;
    },
  };
}

function* values(): Generator<readonly [name: string, value: EvalValue]> {
  yield ["none", NONE];
  for (const name of Object.keys(FUNCTIONS)) yield [name, { kind: "function", name }];
  // What a word defines, it defines where it stands.
  for (const word of Object.values(LAYER_WORDS)) if (!word.defines) yield [word.name, layer(word, {})];
}

/** Round the names of every file. */
export const BUILT_INS = new Environment();
const NOWHERE = { file: "", start: 0, end: 0 };
for (const [name, value] of values()) BUILT_INS.set(name, value, NOWHERE);
