/** File -> POST /v1/images -> 202? GET its Location -> Answer | Problem. */
import { authorization } from "./key.js";

const WAIT_SECONDS = 30; // that one request may wait for its answer
const GRACE_SECONDS = 15; // beyond that the connection counts as lost
const TRIES = 6; // in a row, before a person is asked
const PASSING = new Set([0, 408, 429, 502, 503, 504]); // 0: no answer at all; 502 and 504 come from balancers
const LARGE_BYTES = 5_000_000;

/** Why a picture has no label, in words (RFC 9457). */
export class Problem extends Error {
  constructor(status, { title, detail, retryable } = {}, retryAfter = null) {
    super(title ?? `The service answered with status ${status}.`);
    this.status = status;
    this.detail = detail && detail !== title ? detail : "";
    this.retryAfter = retryAfter; // seconds
    this.passing = PASSING.has(status);
    this.retryable = retryable ?? this.passing;
  }

  static async of(response) {
    const body = await response.json().catch(() => ({}));
    return new Problem(response.status, body, secondsToWait(response));
  }

  static unreachable(bytes) {
    const size = `The connection broke on ${Math.round(bytes / 1e6)} MB; this may be more than the service takes.`;
    return new Problem(0, { title: "The service cannot be reached.", detail: bytes > LARGE_BYTES ? size : "" });
  }
}

/**
 * One picture's answer. `say(state, words)` hears "uploading", "classifying" and "waiting".
 * `token` is the idempotency key: whatever is sent again, it is one job. Throws a Problem, or AbortError.
 */
export async function classify(file, { token, signal, say }) {
  const headers = { "Idempotency-Key": token };
  const url = `/v1/images?top=5&wait=${WAIT_SECONDS}`;
  let response = await patiently(() => post(url, file, headers, signal, say), signal, say);
  while (response.status === 202) {
    const place = response.headers.get("Location");
    await pause(secondsToWait(response) ?? 1, signal);
    response = await patiently(() => get(`${place}?wait=${WAIT_SECONDS}`, signal, say), signal, say);
  }
  return response.json().catch(() => {
    throw new Problem(-1, { title: "This was no answer of the service.", detail: "Something between may have replied." });
  });
}

async function patiently(attempt, signal, say) {
  for (let tries = 1; ; tries += 1) {
    try {
      const response = await attempt();
      if (response.ok) return response;
      throw await Problem.of(response);
    } catch (error) {
      signal.throwIfAborted();
      if (!error.passing || tries === TRIES) throw error;
      const seconds = error.retryAfter ?? 2 ** (tries - 1);
      say("waiting", `${error.message} Trying again in ${seconds} s.`);
      await pause(seconds, signal);
    }
  }
}

/** Like fetch; XMLHttpRequest alone tells when the last byte of a body has left. */
async function post(url, file, headers, signal, say) {
  say("uploading");
  await file.slice(0, 1).arrayBuffer().catch(() => {
    throw new Problem(-1, { title: "This file cannot be read.", detail: "It was moved, or it is a folder." });
  });
  const body = new FormData();
  body.append("file", file);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const began = performance.now();
    const lost = () => reject(Problem.unreachable(file.size));
    request.open("POST", url);
    for (const [name, value] of Object.entries({ ...headers, ...authorization() })) {
      request.setRequestHeader(name, value);
    }
    request.upload.onload = () => {
      request.timeout = performance.now() - began + 1000 * (WAIT_SECONDS + GRACE_SECONDS);
      say("classifying");
    };
    request.onload = () => resolve(responseOf(request));
    request.onerror = lost;
    request.ontimeout = lost;
    request.onabort = () => reject(signal.reason);
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(body);
  });
}

function responseOf(request) {
  const headers = new Headers();
  for (const name of ["Content-Type", "Location", "Retry-After"]) {
    const value = request.getResponseHeader(name);
    if (value !== null) headers.set(name, value);
  }
  return new Response(request.responseText, { status: request.status, headers });
}

async function get(url, signal, say) {
  say("classifying");
  const late = AbortSignal.timeout(1000 * (WAIT_SECONDS + GRACE_SECONDS));
  const options = { headers: authorization(), signal: AbortSignal.any([signal, late]) };
  return fetch(url, options).catch(() => {
    throw Problem.unreachable(0);
  });
}

/** Retry-After, which is seconds or a date -> seconds, or null. */
function secondsToWait(response) {
  const value = response.headers.get("Retry-After");
  if (value === null) return null;
  const seconds = /^\d+$/.test(value) ? Number(value) : Math.ceil((Date.parse(value) - Date.now()) / 1000);
  return Number.isNaN(seconds) ? null : Math.max(0, seconds);
}

function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, 1000 * seconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
}
