/**
 * What an editor asks about sources, as functions from the open files and a place to an answer, for pages and editors that
 * need no protocol. It runs in Node and in a browser. Places are offsets in UTF-16 code units.
 *
 *     const editor = new Editor({ read: () => undefined });
 *     editor.write("/net.resnet", text);
 *     editor.check();
 *     const hints = hintsIn(editor, "/net.resnet", { start: 0, end: text.length }, HINTS, new Map());
 *
 * @module resnetc/editor
 */
export { actionsAt, standardSource, type Action } from "./actions.js";
export { completionAt, type Completion, type Item, type ItemKind } from "./completion.js";
export { Editor, isStandard, type EditorHost } from "./editor.js";
export { formatFile, formatSelection, formatTyped, TYPED } from "./formatting.js";
export { choiceKey, HINTS, hintsIn, type Chosen, type Hint, type HintSettings } from "./hints.js";
export { hoverAt, type Hover } from "./hover.js";
export { lensesIn, type Lens } from "./lenses.js";
export { linksIn, type Link } from "./links.js";
export { layerPlace, networkAt, type NetworkAt, type NetworkName } from "./network-at.js";
export { definitionAt, referencesAt, renameable, renameAt, type Edit, type Reference } from "./references.js";
export { signatureAt, type Signature } from "./signature.js";
export { foldsOf, symbolsCalled, symbolsOf, type FileSymbol, type Fold } from "./symbols.js";
export { TOKEN_MODIFIERS, TOKEN_TYPES, tokensOf, type SemanticToken } from "./tokens.js";
