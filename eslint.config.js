// @ts-check
import js from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

/**
 * Files of a folder import nothing of these. A later rule replaces an earlier one, so what holds for the compiler is
 * said again for its folders.
 *
 * @param {string} folder
 * @param {string[]} forbidden
 */
const boundary = (folder, forbidden) => ({
  files: [`${folder}/**/*.ts`],
  rules: {
    "no-restricted-imports": /** @type {["error", { patterns: string[] }]} */ ([
      "error",
      {
        patterns: [
          ...forbidden.map((each) => `**/${each}/**`),
          ...(folder.startsWith("compiler") ? ["node:*", "**/runtime/**", "**/cli/**"] : []),
        ],
      },
    ]),
  },
});

export default defineConfig(
  globalIgnores(["dist/", "out/", ".cache/", "coverage/", "editors/**/out/", "**/*.generated.*"]),
  js.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/consistent-type-imports": ["error", { disallowTypeAnnotations: false }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // Functions that are asynchronous by contract (a host, a source) may have nothing to wait for.
      "@typescript-eslint/require-await": "off",
      // Operators are records of functions that never look at `this`.
      "@typescript-eslint/unbound-method": "off",
      eqeqeq: "error",
      "no-console": "error",
    },
  },
  {
    // The compiler and the grammar run in a browser.
    files: ["grammar/**/*.ts", "compiler/**/*.ts"],
    rules: {
      "no-restricted-imports": ["error", { patterns: ["node:*", "**/runtime/**", "**/cli/**"] }],
      "no-restricted-globals": ["error", "process", "Buffer", "require", "__dirname"],
    },
  },
  // What a folder must not know (docs/architecture.md).
  boundary("compiler/ir", ["ops", "passes", "emit", "elaborate", "training", "tuning"]),
  boundary("compiler/ops", ["passes", "emit", "elaborate", "training", "tuning"]),
  boundary("compiler/passes", ["emit", "elaborate", "training", "tuning"]),
  boundary("compiler/emit", ["passes", "elaborate", "training", "tuning"]),
  boundary("compiler/editor", ["passes", "emit", "training", "tuning", "editors"]),
  {
    // The server runs in a web worker too; what Node has for it is in one file.
    files: ["editors/server/**/*.ts"],
    ignores: ["editors/server/node.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        // Figures are text made of models.
        { patterns: ["node:*", "**/runtime/*", "!**/runtime/figures", "**/cli/**", "vscode-languageserver/node"] },
      ],
      "no-restricted-globals": ["error", "process", "Buffer", "require", "__dirname"],
    },
  },
  boundary("runtime", ["compiler/ops", "compiler/passes"]),
  {
    // A browser runs it, and what it imports (test/browser/web.test.ts looks at all of that).
    files: ["runtime/web/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: ["node:*", "sharp", "#onnxruntime", "**/cli/**", "**/compiler/ops/**", "**/compiler/passes/**"] },
      ],
      "no-restricted-globals": ["error", "process", "Buffer", "require", "__dirname"],
    },
  },
  boundary("runtime/images", ["compiler/ops", "compiler/passes", "data", "detection", "classification", "training"]),
  boundary("cli", ["compiler/ir", "compiler/ops", "compiler/passes", "compiler/emit", "compiler/tuning"]),
  {
    files: ["grammar/**/*.ts"],
    rules: {
      "no-restricted-imports": ["error", { patterns: ["node:*", "**/compiler/**", "**/runtime/**", "**/cli/**"] }],
    },
  },
  {
    // Chevrotain's own types: CST builders give `any`, a token's pattern may be many things.
    files: ["grammar/parser*.ts", "grammar/tokens.ts"],
    rules: {
      "@typescript-eslint/no-unsafe-return": "off",
      "@typescript-eslint/no-base-to-string": "off",
    },
  },
  {
    files: ["**/*.js", "**/*.mjs"],
    languageOptions: {
      globals: {
        process: "readonly",
        console: "readonly",
        URL: "readonly",
        performance: "readonly",
        Buffer: "readonly",
      },
    },
  },
);
