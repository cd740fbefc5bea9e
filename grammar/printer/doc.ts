/** Prettier's documents, the language in which the printer says what may stand in one line and where to break. */
import { builders } from "prettier/doc";

export { builders };
export type Doc = builders.Doc;
