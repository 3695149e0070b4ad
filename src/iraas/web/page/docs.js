/** /openapi.json -> a page of routes, and of the shapes that they take and give. */
import { byId, element } from "./dom.js";
import { askForKey, authorization } from "./key.js";
import { linked, shapeOf } from "./shapes.js";

const METHODS = ["get", "post", "put", "patch", "delete"];

async function show() {
  const response = await fetch("/openapi.json", { headers: authorization() });
  if (response.status === 401) return askForKey(byId("contents"), start);
  if (!response.ok) throw new Error(`status ${response.status}`);
  const api = await response.json();
  const routes = Object.entries(api.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => {
      const operation = item[method];
      return { path, method, operation, id: `${method}-${path}`.replaceAll(/[^a-z0-9]+/gi, "-") };
    }),
  );
  byId("about").textContent = `${api.info.title} ${api.info.version}. ${api.info.description ?? ""}`;
  byId("contents").replaceChildren(element("ul", {}, ...routes.map(contentsRow)));
  byId("routes").replaceChildren(...routes.map(routeSection));
  byId("schemas").replaceChildren(...schemaSections(api.components?.schemas ?? {}));
  byId(location.hash.slice(1))?.scrollIntoView();
}

const routeName = ({ method, path }) => [element("b", { className: method }, method.toUpperCase()), element("code", {}, path)];

function contentsRow(route) {
  const { description, summary } = route.operation;
  const words = (description ?? summary ?? "").split("\n")[0];
  return element("li", {}, element("a", { href: `#${route.id}` }, ...routeName(route)), element("span", {}, ...marked(words)));
}

function routeSection(route) {
  const { operation } = route;
  const section = element("section", { className: "route", id: route.id });
  section.append(element("h2", {}, ...routeName(route)));
  section.append(...paragraphs(operation.description ?? operation.summary));
  const parameters = operation.parameters ?? [];
  if (parameters.length > 0) section.append(table("Parameters", ["name", "what", "value"], parameters.map(parameterRow)));
  const taken = contentRows(operation.requestBody?.content);
  if (taken.length > 0) section.append(table("Body", ["type", "shape"], taken));
  const responses = Object.entries(operation.responses ?? {});
  const heads = ["status", "what", "shape"];
  section.append(table("Responses", heads, responses.filter(([status]) => status < 400).map(responseRow)));
  const problems = responses.filter(([status]) => !(status < 400)).map(responseRow); // "default" and "4XX" too
  if (problems.length > 0) section.append(element("details", {}, element("summary", {}, "Problems"), table("Problems", heads, problems)));
  return section;
}

function parameterRow({ name, in: place, required, schema = {}, description = schema.description ?? "" }) {
  const words = [element("code", {}, name), element("em", {}, ` ${place}${required ? ", required" : ""}`)];
  return [words, paragraphs(description), shapeOf(schema)];
}

const contentRows = (content = {}) =>
  Object.entries(content).map(([type, { schema }]) => [[element("code", {}, type)], shapeOf(schema)]);

function responseRow([status, { description, content, headers = {} }]) {
  const named = Object.keys(headers).map((header) => element("code", { className: "header" }, header));
  const given = contentRows(content).map(([type, shape]) => [...type, " ", ...shape]);
  return [[element("code", {}, status)], [...paragraphs(description), ...named], given[0] ?? ["no body"]];
}

function schemaSections(schemas) {
  const names = Object.keys(schemas).sort();
  if (names.length === 0) return [];
  const sections = names.map((name) => {
    const { description, properties = {}, required = [] } = schemas[name];
    const rows = Object.entries(properties).map(([field, schema]) => [
      [element("code", {}, field), required.includes(field) ? "" : element("em", {}, " optional")],
      paragraphs(schema.description),
      shapeOf(schema),
    ]);
    const section = element("section", { className: "route", id: linked(name) });
    section.append(element("h3", {}, element("code", {}, name)), ...paragraphs(description));
    section.append(rows.length > 0 ? table("Fields", ["field", "what", "value"], rows) : element("p", {}, ...shapeOf(schemas[name])));
    return section;
  });
  return [element("h2", { id: "shapes" }, "Shapes"), ...sections];
}

/** A description's paragraphs; each problem that a status may mean begins one; `code` is set as code. */
const paragraphs = (text = "") =>
  text.split(/\n\s*\n|\s+(?=`[\w-]+`: )/).filter(Boolean).map((words) => element("p", {}, ...marked(words)));

const marked = (words) => words.split("`").map((part, n) => (n % 2 ? element("code", {}, part) : part));

/** Rows of cells of text and elements -> a table; a column in which nothing stands is left out. */
function table(caption, heads, rows) {
  const kept = heads.map((_, column) => rows.some((cells) => cells[column].length > 0));
  const head = element("tr", {}, ...heads.filter((_, n) => kept[n]).map((words) => element("th", { scope: "col" }, words)));
  const body = rows.map((cells) => element("tr", {}, ...cells.filter((_, n) => kept[n]).map((cell) => element("td", {}, ...cell))));
  const made = element("table", {}, element("caption", {}, caption), element("thead", {}, head), element("tbody", {}, ...body));
  return element("div", { className: "table", role: "region", ariaLabel: caption, tabIndex: 0 }, made);
}

const start = () => show().catch((error) => {
  byId("about").textContent = `The description could not be read: ${error.message}.`;
});

start();
