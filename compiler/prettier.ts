/**
 * The plugin for Prettier 3: `plugins: ["resnetc/prettier"]`.
 *
 * @module resnetc/prettier
 */
import { prettierPlugin, type ResnetPlugin } from "../grammar/prettier-plugin.js";
import { VOCABULARY } from "./vocabulary.js";

/** All of it, as Prettier loads a plugin. */
const plugin: ResnetPlugin = prettierPlugin(VOCABULARY);
export default plugin;

/** The language, as Prettier lists it: files that end in `.resnet`. */
export const languages = plugin.languages;
/** The one style of the language: 100 columns, 2 spaces. */
export const defaultOptions = plugin.defaultOptions;
/** The parser, by the name that Prettier calls it. */
export const parsers = plugin.parsers;
/** The printer, by the name of the tree that it prints. */
export const printers = plugin.printers;

export type { ResnetPlugin } from "../grammar/prettier-plugin.js";
