/** Chosen, dropped or pasted files -> cards -> at most a few at a time to the service -> labels on the cards. */
import { Card, percent } from "./card.js";
import { byId } from "./dom.js";
import { filesOf } from "./dropped.js";
import { watchFleet } from "./fleet.js";
import { askForKey, currentKey } from "./key.js";
import { save, toCsv, toJson } from "./results.js";
import { classify } from "./service.js";

const AT_ONCE = 4; // requests; a browser opens six connections to a host
const ANNOUNCE_MS = 1000; // a screen reader hears of many pictures at most this often

let pictures = []; // everything on the page, in its order
let waiting = []; // those whose turn is yet to come
let busy = 0;
let asking = false; // for a key: nothing is sent meanwhile

function add(files) {
  const added = [...files].map((file) => {
    const picture = { file, token: randomToken(), abort: new AbortController() };
    picture.card = new Card(file, () => again(picture));
    return picture;
  });
  pictures = [...added, ...pictures];
  waiting.push(...added);
  byId("pictures").prepend(...added.map((picture) => picture.card.item));
  summarize();
  next();
}

function next() {
  while (!asking && busy < AT_ONCE && waiting.length > 0) work(waiting.shift());
}

async function work(picture) {
  const { card, file, token, abort } = picture;
  const usedKey = currentKey();
  const began = performance.now();
  busy += 1;
  try {
    const say = (state, words) => card.show(state, words);
    picture.answer = await classify(file, { token, signal: abort.signal, say });
    card.done(picture.answer, performance.now() - began);
    announce(`${file.name}: ${picture.answer.label}, ${percent(picture.answer.score)}.`);
  } catch (problem) {
    if (abort.signal.aborted) return;
    if (problem.status === 401) wantKey(picture, usedKey);
    else fail(picture, problem);
  } finally {
    busy -= 1;
    summarize();
    next();
  }
}

function fail(picture, problem) {
  picture.problem = problem;
  picture.card.failed(problem);
  announce(`${picture.file.name}: ${problem.message}`);
}

function again(picture) {
  picture.problem = null;
  picture.card.show("waiting");
  waiting.push(picture);
  summarize();
  next();
}

function wantKey(picture, usedKey) {
  picture.card.show("waiting");
  waiting.unshift(picture);
  if (asking || usedKey !== currentKey()) return; // one is asked for, or came meanwhile
  asking = true;
  askForKey(byId("results"), () => {
    asking = false;
    byId("choose").focus();
    summarize();
    next();
  });
}

function clear() {
  for (const { abort, card } of pictures) {
    abort.abort();
    card.remove();
  }
  pictures = [];
  waiting = [];
  summarize();
  byId("choose").focus();
}

const finished = () => pictures.filter(({ answer, problem }) => answer || problem);

function summarize() {
  const failed = pictures.filter(({ problem }) => problem).length;
  const ended = finished().length;
  const words = `${ended - failed} of ${pictures.length} done${failed ? `, ${failed} failed` : ""}`;
  byId("results").hidden = pictures.length === 0;
  byId("summary").textContent = words;
  byId("progress").max = pictures.length || 1;
  byId("progress").value = ended;
  for (const id of ["save-csv", "save-json"]) byId(id).disabled = ended === 0;
  showCurl();
}

let news = "";

/** The latest news and the count, in a region that is read aloud. */
function announce(sentence) {
  if (!news) {
    setTimeout(() => {
      byId("status").textContent = `${news} ${byId("summary").textContent}.`;
      news = "";
    }, ANNOUNCE_MS);
  }
  news = sentence;
}

function showCurl() {
  const header = currentKey() ? ' -H "Authorization: Bearer $IRAAS_KEY"' : "";
  byId("curl").textContent = `curl${header} -F file=@cat.png ${location.origin}/v1/images`;
}

async function copyCurl() {
  const button = byId("copy");
  try {
    await navigator.clipboard.writeText(byId("curl").textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(byId("curl")); // plain http has no clipboard
    button.textContent = "Selected";
  }
}

/** randomUUID exists only where the page came from a safe origin; getRandomValues everywhere. */
function randomToken() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (n) => n.toString(16).padStart(2, "0")).join("");
}

byId("drop").addEventListener("click", () => byId("files").click());
byId("files").addEventListener("change", (event) => {
  add(event.target.files);
  event.target.value = ""; // so that the same file can be chosen again
});
document.addEventListener("paste", (event) => add(event.clipboardData.files));
document.addEventListener("dragover", (event) => {
  if (!event.dataTransfer.types.includes("Files")) return;
  event.preventDefault(); // a picture dropped beside the zone must not replace the page
  byId("drop").classList.add("over");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) byId("drop").classList.remove("over");
});
document.addEventListener("drop", async (event) => {
  if (!event.dataTransfer.types.includes("Files")) return;
  event.preventDefault();
  byId("drop").classList.remove("over");
  add(await filesOf(event.dataTransfer));
});
byId("clear").addEventListener("click", clear);
byId("save-csv").addEventListener("click", () => save("labels.csv", "text/csv", toCsv(finished())));
byId("save-json").addEventListener("click", () => save("labels.json", "application/json", toJson(finished())));
byId("copy").addEventListener("click", copyCurl);
showCurl();
watchFleet();
