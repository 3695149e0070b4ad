/** Ten minutes of points -> an SVG of two panels on one time axis: jobs in the queue, and workers. */

const SPAN_SECONDS = 600;
const GAP_SECONDS = 7; // between two points that no line joins: nothing is known of the time between
const PANEL = 84; // pixels
const BETWEEN = 34;
const TOP = 20;
const FOOT = 22;
const LEFT = 34;
const RIGHT = 8;
export const HEIGHT = TOP + 2 * PANEL + BETWEEN + FOOT;

const SVG = "http://www.w3.org/2000/svg";

function drawn(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...children);
  return made;
}

/** The picture, `width` pixels wide, whose right edge is the time `now`, and its description in words. */
export function chart(points, now, width) {
  const x = (at) => LEFT + (width - LEFT - RIGHT) * (1 - (now - at) / SPAN_SECONDS);
  const words = inWords(points);
  const picture = drawn(
    "svg",
    { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img", "aria-labelledby": "chart-title chart-words" },
    drawn("title", { id: "chart-title" }, "Jobs and workers over the last ten minutes"),
    drawn("desc", { id: "chart-words" }, words),
    ...timeAxis(x, width),
    ...panel(TOP, "Jobs in the queue", width, x, points, [
      { kind: "jobs", area: true, value: ({ visible, in_flight: held }) => visible + held },
      { kind: "waiting", area: true, value: ({ visible }) => visible },
    ]),
    ...panel(TOP + PANEL + BETWEEN, "Workers", width, x, points, [
      { kind: "starting", area: false, value: ({ in_service: serving, starting }) => serving + starting },
      { kind: "serving", area: true, value: ({ in_service: serving }) => serving },
    ]),
  );
  return { picture, words };
}

/** What the picture shows, for those who do not see it. */
function inWords(points) {
  if (points.length === 0) return "Nothing is known of the last ten minutes yet.";
  const jobs = points.map(({ visible, in_flight: held }) => visible + held);
  const workers = points.map(({ in_service: serving }) => serving);
  const [fewest, most] = [Math.min(...workers), Math.max(...workers)];
  const range = fewest === most ? `${most}` : `${fewest} to ${most}`;
  const fastest = Math.max(...points.map((point) => point.pictures_per_second));
  return `In the last ten minutes: at most ${Math.max(...jobs)} jobs in the queue, ${range} workers in service, `
    + `at most ${fastest.toFixed(fastest < 10 ? 1 : 0)} pictures a second.`;
}

function panel(top, title, width, x, points, lines) {
  const most = ceiling(Math.max(1, ...points.flatMap((point) => lines.map(({ value }) => value(point)))));
  const y = (value) => top + PANEL * (1 - value / most);
  const parts = [
    drawn("text", { x: LEFT, y: top - 6, class: "panel-name" }, title),
    ...[0, most].map((value) => drawn("path", { d: `M${LEFT} ${y(value)}H${width - RIGHT}`, class: "rule" })),
    ...[0, most].map((value) => drawn("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, String(value))),
  ];
  for (const run of runs(points)) {
    for (const { kind, area, value } of lines) {
      const line = steps(run, (point) => x(point.at), (point) => y(value(point)));
      if (area) parts.push(drawn("path", { d: `${line}V${y(0)}H${x(run[0].at).toFixed(1)}Z`, class: `area ${kind}` }));
      parts.push(drawn("path", { d: line, class: `line ${kind}` }));
    }
  }
  return parts;
}

/** A line of steps: a value holds until the next one is known. */
function steps(points, x, y) {
  const [first, ...others] = points.map((point) => [x(point).toFixed(1), y(point).toFixed(1)]);
  return `M${first.join(" ")}${others.map(([across, down]) => `H${across}V${down}`).join("")}`;
}

/** Points -> lists of points between which there is no gap. */
function runs(points) {
  const found = [];
  for (const [n, point] of points.entries()) {
    if (n === 0 || point.at - points[n - 1].at > GAP_SECONDS) found.push([]);
    found.at(-1).push(point);
  }
  return found;
}

/** 38 -> 40: the next of 1, 2, 4, 5, 6, 8, 10 and their tens. */
function ceiling(value) {
  const tens = 10 ** Math.floor(Math.log10(value));
  return tens * [1, 2, 4, 5, 6, 8, 10].find((step) => step * tens >= value);
}

function timeAxis(x, width) {
  const bottom = TOP + 2 * PANEL + BETWEEN;
  const now = SPAN_SECONDS; // on an axis that begins ten minutes ago
  const at = (minutes) => LEFT + (width - LEFT - RIGHT) * ((now - 60 * minutes) / SPAN_SECONDS);
  return [[10, "start", "10 min ago"], [5, "middle", "5 min"], [0, "end", "now"]].map(([minutes, anchor, words]) =>
    drawn("text", { x: at(minutes), y: bottom + 16, "text-anchor": anchor }, words));
}

/** `points` with those of an event, without what is older than ten minutes. */
export function remembered(points, fleet) {
  const last = points.at(-1)?.at ?? -Infinity;
  const fresh = fleet.history ?? (fleet.at - last >= 1.5 ? [pointOf(fleet)] : []);
  const known = fleet.history ? [] : points;
  return [...known, ...fresh].filter(({ at }) => at > fleet.at - SPAN_SECONDS && at <= fleet.at);
}

const pointOf = ({ at, queue, workers, pictures_per_second: rate, latency_ms: latency }) => ({
  at, visible: queue.visible, in_flight: queue.in_flight, in_service: workers.in_service, starting: workers.starting,
  pictures_per_second: rate, p95_ms: latency.p95,
});
