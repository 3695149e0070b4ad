/** Finished pictures -> CSV or JSON text, saved as a file. */
import { element } from "./dom.js";

const BEST = [0, 1, 2, 3, 4];
const HEAD = ["file", ...BEST.flatMap((n) => [`label_${n + 1}`, `score_${n + 1}`]), "model", "total_ms", "id", "error"];

export function toCsv(pictures) {
  const rows = pictures.map(({ file, answer, problem }) => [
    file.name,
    ...BEST.flatMap((n) => [answer?.predictions[n]?.label, answer?.predictions[n]?.score]),
    answer?.model,
    answer?.timing_ms.total,
    answer?.id,
    problem && `${problem.message} ${problem.detail}`.trim(),
  ]);
  return [HEAD, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

/** Quoted as RFC 4180 says; what a spreadsheet would run as a formula gets an apostrophe in front. */
function cell(value) {
  const text = String(value ?? "");
  const harmless = /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n']/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

export function toJson(pictures) {
  const entries = pictures.map(({ file, answer, problem }) => ({
    file: file.name,
    ...(answer ?? { state: "failed", error: problem.message, detail: problem.detail }),
  }));
  return `${JSON.stringify(entries, null, 2)}\n`;
}

export function save(name, type, text) {
  const href = URL.createObjectURL(new Blob([text], { type }));
  element("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000); // ms; the browser has taken it by then
}
