/** What writes a model as ONNX. */
export { emitModel } from "../../compiler/compile.js";
export { concat } from "../../compiler/emit/onnx.js";
