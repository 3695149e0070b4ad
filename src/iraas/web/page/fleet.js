/** The fleet's events -> numbers, a block for each worker, the latest decisions, and ten minutes as a chart. */
import { chart, remembered } from "./chart.js";
import { byId, element } from "./dom.js";
import { Feed } from "./feed.js";

const STATES = ["busy", "idle", "starting", "draining"];
const MOST_BLOCKS = 64;
const DECISIONS = 6;

let fleet = null; // as last heard of
let heardAt = 0; // by this page's clock, ms
let points = [];

/** Begin to listen. */
export function watchFleet() {
  byId("fleet").hidden = false;
  new Feed({ show, tell });
  new ResizeObserver(() => requestAnimationFrame(draw)).observe(byId("chart"));
  setInterval(showAges, 1000);
}

function tell(state, words) {
  const place = byId("connection");
  if (place.textContent !== words) place.textContent = words; // else a screen reader would hear it again
  byId("fleet").dataset.state = state;
}

function show(heard) {
  fleet = heard;
  heardAt = performance.now();
  points = remembered(points, heard);
  byId("fleet-body").hidden = false;
  showNumbers(heard);
  showWorkers(heard.workers);
  showDecisions(heard.decisions);
  draw();
}

function showNumbers({ queue, pictures_per_second: rate, latency_ms: latency }) {
  put("waiting", `${queue.visible}`);
  put("held", `${queue.in_flight}`);
  put("rate", rate.toFixed(rate < 10 ? 1 : 0));
  put("p50", duration(latency.p50));
  put("p95", duration(latency.p95));
  put("oldest", queue.visible > 0 && queue.oldest_seconds !== null ? `oldest ${span(queue.oldest_seconds)}` : "");
}

function showWorkers(workers) {
  const { minimum, maximum } = workers;
  const counts = STATES.filter((state) => workers[state] > 0 || (state === "busy" && workers.in_service > 0));
  const key = JSON.stringify(workers);
  if (byId("workers").dataset.shown === key) return;
  byId("workers").dataset.shown = key;
  const blocks = STATES.flatMap((state) => Array(Math.min(workers[state], MOST_BLOCKS)).fill(state)).slice(0, MOST_BLOCKS);
  byId("blocks").replaceChildren(...blocks.map(block));
  const words = counts.map((state) => element("li", {}, block(state), `${workers[state]} ${state}`));
  byId("counts").replaceChildren(...(words.length > 0 ? words : [element("li", {}, "no workers now")]));
  put("bounds", inWords(minimum, maximum, fleet.policy));
}

function inWords(minimum, maximum, policy) {
  if (minimum === null && maximum === null) return "";
  const bounds = minimum === maximum ? `Always ${maximum}` : `${minimum ?? 0} to ${maximum ?? "any number"}`;
  return policy && minimum !== maximum ? `${bounds}; policy: ${policy}` : bounds;
}

const block = (state) => element("span", { className: `block ${state}`, ariaHidden: "true" });

function showDecisions(decisions) {
  const latest = decisions.slice(0, DECISIONS);
  const key = JSON.stringify(latest);
  byId("no-decisions").hidden = latest.length > 0;
  if (byId("decisions").dataset.shown === key) return;
  byId("decisions").dataset.shown = key;
  byId("decisions").replaceChildren(...latest.map(decisionRow));
  showAges();
}

function decisionRow({ at, before, capacity, reason, trouble }) {
  const change = before === capacity ? `${capacity}` : `${before} → ${capacity}`;
  const when = element("time", { dateTime: new Date(1000 * at).toISOString() });
  when.dataset.at = at;
  return element(
    "li",
    { className: trouble ? "trouble" : "" },
    element("b", { ariaLabel: `from ${before} to ${capacity} workers`, role: "img" }, change),
    element("span", {}, reason),
    when,
  );
}

/** Ages go on between events; the service's own clock is the measure, whatever this one says. */
function showAges() {
  if (!fleet) return;
  const now = fleet.at + (performance.now() - heardAt) / 1000;
  for (const when of byId("decisions").querySelectorAll("time")) put(when, `${span(now - Number(when.dataset.at))} ago`);
}

function draw() {
  const place = byId("chart");
  const width = Math.floor(place.clientWidth);
  if (!fleet || width === 0) return;
  const { picture, words } = chart(points, fleet.at, width);
  place.replaceChildren(picture);
  put("chart-caption", words);
}

function put(place, words) {
  const found = typeof place === "string" ? byId(place) : place;
  if (found.textContent !== words) found.textContent = words;
}

const duration = (ms) => (ms === null ? "–" : ms < 995 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

function span(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  return whole < 86_400 ? `${Math.floor(whole / 3600)} h` : `${Math.floor(whole / 86_400)} d`;
}
