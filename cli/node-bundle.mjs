/** How esbuild bundles programs for Node: modules with their libraries in a few files. */
export const NODE_BUNDLE = {
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  logLevel: "warning",
  // Native libraries, and those that few commands need.
  external: ["#onnxruntime", "sharp", "prettier"],
  // CommonJS libraries among the bundled ones ask for Node's own modules with `require`.
  banner: {
    js: 'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);',
  },
};
