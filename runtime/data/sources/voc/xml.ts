/**
 * Small XML files as trees, through sax, which knows no entities but the five of XML and numbers: a document type is
 * skipped, and whatever it declares is not expanded.
 */
import sax from "sax";
import { DataError } from "../../../data-error.js";

export interface Element {
  readonly name: string;
  /** Of the element itself, without what surrounds it. */
  readonly text: string;
  readonly children: readonly Element[];
}

/** Deeper than any annotation. */
const MAX_DEPTH = 32;

/** @throws {DataError} one line with the file's name and the place */
export function parseXml(text: string, file: string): Element {
  interface Draft {
    readonly name: string;
    text: string;
    readonly children: Draft[];
  }
  const top: Draft = { name: "", text: "", children: [] };
  const open = [top];
  // Without namespaces, which are of no use here.
  const parser = sax.parser(true, { position: true });
  const fail = (reason: string): never => {
    throw new DataError(`${file}:${parser.line + 1}: not XML that can be read: ${reason}`);
  };
  parser.onerror = (error) => {
    const [reason] = error.message.split("\n", 1);
    fail(reason!.charAt(0).toLowerCase() + reason!.slice(1).replace(/\.$/, ""));
  };
  parser.onopentag = ({ name }) => {
    if (open.length > MAX_DEPTH) fail(`more than ${MAX_DEPTH} elements in one another`);
    const element: Draft = { name, text: "", children: [] };
    open.at(-1)!.children.push(element);
    open.push(element);
  };
  parser.ontext = parser.oncdata = (piece) => {
    open.at(-1)!.text += piece;
  };
  parser.onclosetag = () => {
    const closed = open.pop()!;
    closed.text = closed.text.trim();
  };
  parser.write(text).close();
  return top.children[0] ?? fail("empty");
}

export function child(element: Element, name: string): Element | undefined {
  return element.children.find((candidate) => candidate.name === name);
}
