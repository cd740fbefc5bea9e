import type { Comments } from "./comments.js";

/** What every part of the printer needs. */
export interface Context {
  readonly text: string;
  readonly comments: Comments;
  /** Columns of a line. */
  readonly width: number;
  /** Columns of one level of indentation. */
  readonly indent: number;
}
