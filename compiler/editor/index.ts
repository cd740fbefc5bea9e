/** What an editor asks about sources. */
export { actionsAt, standardSource, type Action } from "./actions.js";
export { completionAt, type Completion, type Item, type ItemKind } from "./completion.js";
export { Editor, isStandard, type EditorHost } from "./editor.js";
export { formatFile, formatSelection, formatTyped } from "./formatting.js";
export { choiceKey, HINTS, hintsIn, type Chosen, type Hint, type HintSettings } from "./hints.js";
export { hoverAt, type Hover } from "./hover.js";
export { lensesIn, type Lens } from "./lenses.js";
export { linksIn, type Link } from "./links.js";
export { definitionAt, referencesAt, renameable, renameAt, type Edit } from "./references.js";
export { signatureAt, type Signature } from "./signature.js";
export { foldsOf, symbolsCalled, symbolsOf, type FileSymbol, type Fold } from "./symbols.js";
export { TOKEN_MODIFIERS, TOKEN_TYPES, tokensOf, type SemanticToken } from "./tokens.js";
