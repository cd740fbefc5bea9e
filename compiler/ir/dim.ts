/** Placeholder until the real file lands. */
export type Dim = number | SymbolicDim;
export interface SymbolicDim { readonly symbolic: true }
