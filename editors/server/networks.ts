/** Requests of clients that show networks beside their text: `resnetc/network`, `resnetc/layer`, `resnetc/compile`. */
import { ErrorCodes, ResponseError, type Connection, type Location, type Position } from "vscode-languageserver";
import { emitModel } from "../../compiler/compile.js";
import { concat } from "../../compiler/emit/onnx.js";
import { layerPlace, networkAt, type Chosen, type NetworkName } from "../../compiler/editor/index.js";
import type { Model } from "../../compiler/model.js";
import { summarize, type Summary } from "../../compiler/summary.js";
import { figure } from "../../runtime/figures/figure.js";
import type { Documents } from "./documents.js";
import type { Platform } from "./platform.js";

/** A network as clients name it. */
export interface NetworkId {
  /** The address of the file in which it is declared. */
  readonly uri: string;
  readonly name: string;
}

/** `resnetc/network`: which network is there? */
export interface NetworkParams {
  readonly textDocument: { readonly uri: string };
  /** Absent: no place in the text, the network that was shown last. */
  readonly position?: Position;
  /** The one that was shown last. */
  readonly before?: NetworkId;
  /** The drawing that the client has; absent: it needs one. */
  readonly has?: number;
}

export interface NetworkAnswer {
  readonly network: NetworkId;
  /** Paths of the layers at the place. */
  readonly layers: readonly string[];
  /** Which drawing it is: the same number as long as the network is the same. Absent: the network has errors. */
  readonly number?: number;
  /** Absent where the client has it. */
  readonly drawing?: Drawing;
}

export interface Drawing {
  /** SVG text, as `resnetc figure` writes it. The title of a layer's group is the layer's path. */
  readonly svg: string;
  readonly summary: Summary;
}

/** `resnetc/layer`: where is that layer written? */
export interface LayerParams {
  readonly network: NetworkId;
  readonly layer: string;
}

/** `resnetc/compile`: the network as ONNX. */
export interface CompileParams {
  readonly network: NetworkId;
  /** Random ones; without weights the parameters are inputs of the model. */
  readonly withWeights: boolean;
  /** The file to be written, for servers that can. */
  readonly to?: string;
}

export interface CompileAnswer {
  readonly files: readonly { readonly name: string; readonly bytes: number }[];
  /** From a server that writes no files: what is in them. */
  readonly contents?: readonly Uint8Array[];
}

/** Answers these requests. */
export function serveNetworks(
  connection: Connection,
  { documents, platform, chosen }: { documents: Documents; platform: Platform; chosen: Chosen },
): void {
  const { editor, places } = documents;
  const nameOf = ({ uri, name }: NetworkId): NetworkName => ({ path: documents.pathOf(uri), name });

  connection.onRequest("resnetc/network", async (params: NetworkParams): Promise<NetworkAnswer | null> => {
    await documents.settled();
    const path = documents.pathOf(params.textDocument.uri);
    const offset = params.position && places.document(path).offsetAt(params.position);
    const found = networkAt(editor, path, offset, chosen, params.before && nameOf(params.before));
    if (!found) return null;
    const network = { uri: documents.uriOf(found.path), name: found.name };
    if (!found.model) return { network, layers: found.layers };
    const { number, drawing } = drawingOf(found.model);
    return { network, layers: found.layers, number, ...(params.has !== number && { drawing }) };
  });

  connection.onRequest("resnetc/layer", ({ network, layer }: LayerParams): Location | null => {
    const span = layerPlace(editor, nameOf(network), layer);
    return span ? places.location(span) : null;
  });

  connection.onRequest("resnetc/compile", async ({ network, withWeights, to }: CompileParams) => {
    await documents.settled();
    const { path, name } = nameOf(network);
    const model = editor.elaborated(path).find((each) => each.path === path && each.name === name)?.model;
    if (!model) throw new ResponseError(ErrorCodes.InvalidRequest, `${name} has errors, or is not there`);
    const emit = (externalName: string) => emitModel(model, { withWeights, externalData: { ifLarge: externalName } });
    if (to !== undefined && platform.writeModel) return { files: await platform.writeModel(to, emit) };
    return inMemory(name, emit(`${name}.onnx.data`));
  });
}

function inMemory(name: string, { chunks, byteLength, external }: ReturnType<typeof emitModel>): CompileAnswer {
  if (external)
    throw new ResponseError(ErrorCodes.InvalidRequest, `${name} is too large to be compiled here: use resnetc compile`);
  return { files: [{ name: `${name}.onnx`, bytes: byteLength }], contents: [concat(chunks, byteLength)] };
}

interface Numbered {
  readonly number: number;
  readonly drawing: Drawing;
}

const drawings = new WeakMap<Model, Numbered>();
let count = 0;

/** Drawn once, however often the cursor moves. */
function drawingOf(model: Model): Numbered {
  const known = drawings.get(model) ?? {
    number: ++count,
    drawing: { svg: figure([model]), summary: summarize(model) },
  };
  drawings.set(model, known);
  return known;
}
