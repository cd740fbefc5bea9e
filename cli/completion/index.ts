import { bash } from "./bash.js";
import { fish } from "./fish.js";
import type { CommandWords } from "./words.js";
import { zsh } from "./zsh.js";

export const SHELLS = { bash, zsh, fish } as const satisfies Record<string, (words: readonly CommandWords[]) => string>;

export type Shell = keyof typeof SHELLS;
