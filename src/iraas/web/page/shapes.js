/** A JSON schema -> what it allows, in words and links. */
import { element } from "./dom.js";

export const linked = (name) => `shape-${name}`;

/** A schema -> text and elements, for a table's cell. */
export function shapeOf(schema) {
  if (schema === undefined || schema === true) return ["anything"];
  if (schema.$ref) return [reference(schema.$ref)];
  const choices = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (choices) return [...choices.flatMap((choice, n) => [n > 0 ? " or " : "", ...shapeOf(choice)]), ...limits(schema)];
  if (schema.type === "array") return ["list of ", ...shapeOf(schema.items ?? (schema.prefixItems ?? [])[0]), ...limits(schema)];
  if (schema.type === "object" && schema.properties) return fields(schema);
  return [nameOf(schema), ...limits(schema)];
}

function reference(path) {
  const name = path.split("/").at(-1);
  return element("a", { href: `#${linked(name)}` }, name);
}

function fields({ properties }) {
  return Object.entries(properties).flatMap(([name, schema], n) => [
    n > 0 ? ", " : "", element("code", {}, name), " ", ...shapeOf(schema),
  ]);
}

function nameOf({ type = "anything", format, const: only, enum: values, contentMediaType }) {
  if (only !== undefined) return JSON.stringify(only);
  if (values) return values.map((value) => JSON.stringify(value)).join(" or ");
  if (format === "binary" || contentMediaType) return "bytes";
  return format ? `${type} (${format})` : String(type);
}

function limits(schema) {
  const words = [];
  const { minimum: least, maximum: most, minLength: shortest, maxLength: longest } = schema;
  if (least !== undefined && most !== undefined) words.push(`${least} to ${most}`);
  else if (least !== undefined) words.push(`${least} or more`);
  else if (most !== undefined) words.push(`${most} or less`);
  if (shortest !== undefined || longest !== undefined) words.push(`${shortest ?? 0} to ${longest ?? "any number of"} characters`);
  if (schema.default !== undefined && schema.default !== null) words.push(`default ${JSON.stringify(schema.default)}`);
  return words.map((word) => `, ${word}`);
}
