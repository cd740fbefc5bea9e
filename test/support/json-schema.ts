/** As much of JSON Schema (draft 7) as our schemas use: what does not follow one, in words. */
type Schema = Readonly<Record<string, unknown>>;

export function validate(schema: object, value: unknown): string[] {
  return check(schema as Schema, value, "", schema as Schema);
}

const KNOWN = new Set(
  ["$schema", "$id", "$ref", "title", "description", "definitions", "type", "required", "properties"].concat([
    "additionalProperties",
    "items",
    "enum",
    "const",
    "minimum",
    "maximum",
    "uniqueItems",
    "oneOf",
  ]),
);

function check(schema: Schema, value: unknown, at: string, root: Schema): string[] {
  const unknown = Object.keys(schema).find((key) => !KNOWN.has(key));
  if (unknown !== undefined) throw new Error(`${at}: this validator does not know ${unknown}`);
  if (typeof schema["$ref"] === "string") {
    const name = schema["$ref"].replace("#/definitions/", "");
    return check((root["definitions"] as Record<string, Schema>)[name]!, value, at, root);
  }
  const faults: string[] = [];
  const fault = (text: string): void => void faults.push(`${at || "/"}: ${text}`);
  if (schema["type"] !== undefined && !isOf(schema["type"] as string, value))
    fault(`is not ${schema["type"] as string}`);
  if ("const" in schema && value !== schema["const"]) fault(`is not ${String(schema["const"])}`);
  if (Array.isArray(schema["enum"]) && !schema["enum"].includes(value)) fault(`${String(value)} is none of the values`);
  if (typeof value === "number") {
    if (value < ((schema["minimum"] as number | undefined) ?? -Infinity)) fault("is too small");
    if (value > ((schema["maximum"] as number | undefined) ?? Infinity)) fault("is too large");
  }
  if (Array.isArray(value)) {
    if (schema["uniqueItems"] === true && new Set(value).size < value.length) fault("has equal items");
    const items = schema["items"] as Schema | undefined;
    if (items) value.forEach((item, index) => faults.push(...check(items, item, `${at}/${index}`, root)));
  } else if (typeof value === "object" && value !== null) {
    const given = Object.entries(value).filter(([, each]) => each !== undefined);
    const names = new Set(given.map(([name]) => name));
    for (const name of (schema["required"] as string[] | undefined) ?? [])
      if (!names.has(name)) fault(`has no ${name}`);
    const properties = (schema["properties"] ?? {}) as Record<string, Schema>;
    for (const [name, each] of given) {
      if (Object.hasOwn(properties, name)) faults.push(...check(properties[name]!, each, `${at}/${name}`, root));
      else if (schema["additionalProperties"] === false) fault(`has ${name}`);
    }
  }
  const choices = schema["oneOf"] as Schema[] | undefined;
  if (choices && choices.filter((each) => check(each, value, at, root).length === 0).length !== 1) {
    fault("follows none or several of the choices");
  }
  return faults;
}

function isOf(type: string, value: unknown): boolean {
  if (type === "array") return Array.isArray(value);
  if (type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  return type === "integer" ? Number.isInteger(value) : typeof value === type;
}
