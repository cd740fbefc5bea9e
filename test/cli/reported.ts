/** Runs of commands with --json, held to the schemas in docs/schemas. */
import { readdirSync, readFileSync } from "node:fs";
import Ajv from "ajv";
import { expect } from "vitest";
import { resnetc, type RunOptions } from "./resnetc.js";

export const SCHEMAS = new URL("../../docs/schemas/", import.meta.url);
export const names = readdirSync(SCHEMAS).map((file) => file.replace(".schema.json", ""));
export const schemaOf = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(`${name}.schema.json`, SCHEMAS), "utf8")) as Record<string, unknown>;

export const ajv = new Ajv({ allErrors: true });
for (const name of names) ajv.addSchema(schemaOf(name));

export type Report = Record<string, unknown> & { readonly warnings: readonly string[] };

/** Runs a command with --json; what it prints must be one document that follows the command's schema, and no other. */
export async function reported(
  cwd: string,
  args: readonly string[],
  { code = 0, schema = args[0]!, ...options }: RunOptions & { readonly code?: number; readonly schema?: string } = {},
): Promise<Report> {
  const ended = await resnetc([...args, "--json"], { cwd, ...options });
  expect(ended.code, ended.stderr).toBe(code);
  const report = JSON.parse(ended.stdout) as Report;
  expect(ajv.validate(`${schema}.schema.json`, report), ajv.errorsText() + ended.stdout).toBe(true);
  // A field that the schema does not have is a fault of it.
  expect(ajv.validate(`${schema}.schema.json`, { ...report, undocumented: 1 })).toBe(false);
  return report;
}
