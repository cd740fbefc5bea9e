/** ONNX Runtime's messages made readable. */

/** ONNX Runtime's account of what went wrong as one line: no source paths, no C++ signatures, no full stop. */
export function readable(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const line = text
    .replace(/\s+/g, " ")
    .replace(/^Load model from .*? failed: ?/, "")
    // `/onnxruntime_src/.../model.cc:187 onnxruntime::Model::Model(...) text`: the signature ends in the last `&)`.
    .replace(/^(?:\/\S+|\S+\.(?:cc|h)):\d+ (?:.*(?:\)::<lambda\(\)>|[&*\w]\)(?: const)?) )?/, "")
    .replace(/^\w+_result\.status == \S+ was false\. /, "")
    .replace(/^This is an invalid model\. /, "")
    .trim()
    .replace(/[.:\s]+$/, "");
  // Lower case at the start as in every message of ours, unless the word is a name: `Gemm`, `ONNX`.
  return /^[A-Z][a-z]+ [a-z(]/.test(line) ? line[0]!.toLowerCase() + line.slice(1) : line;
}
