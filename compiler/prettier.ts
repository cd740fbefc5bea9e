/** The plugin for Prettier 3: `plugins: ["resnetc/prettier"]`. */
import { prettierPlugin, type ResnetPlugin } from "../grammar/prettier-plugin.js";
import { VOCABULARY } from "./vocabulary.js";

const plugin: ResnetPlugin = prettierPlugin(VOCABULARY);

/** The language, as Prettier lists it; its style; its parser and printer by name. */
export const { languages, defaultOptions, parsers, printers } = plugin;
/** All of it, as Prettier loads a plugin. */
export default plugin;
