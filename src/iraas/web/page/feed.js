/** /v1/fleet/events, again and again -> what the fleet is, and whether we are connected, in words. */
import { eventsOf } from "./events.js";
import { authorization, whenKeyed } from "./key.js";

const PLACE = "/v1/fleet/events";
const LONGEST_SECONDS = 30; // between two attempts
const SILENCE_SECONDS = 15; // a line on which nothing comes for so long is dead: the service speaks every 5

/** `show(fleet)` hears of each event; `tell(state, words)` hears "connecting", "live", "lost" and "locked". */
export class Feed {
  constructor({ show, tell }) {
    this.show = show;
    this.tell = tell;
    this.failures = 0;
    this.pauseSeconds = 1; // before the first attempt after a failure
    document.addEventListener("visibilitychange", () => this.look());
    whenKeyed(() => this.again());
    this.look();
  }

  /** Listen while somebody looks: a browser has six connections to a host, for all its tabs together. */
  look() {
    if (document.hidden) this.stop();
    else if (!this.line) this.again();
  }

  stop() {
    clearTimeout(this.timer);
    clearTimeout(this.watch);
    this.line?.abort();
    this.line = null;
    this.live = false;
  }

  again() {
    if (this.live) return;
    this.stop();
    this.failures = 0;
    if (!document.hidden) this.listen();
  }

  async listen() {
    const line = new AbortController();
    this.line = line;
    let words = "Not connected.";
    let seconds = null;
    try {
      if (this.failures === 0) this.tell("connecting", "Connecting…");
      this.hear(line);
      const response = await fetch(PLACE, { headers: authorization(), signal: line.signal, cache: "no-store" });
      if (response.status === 401) {
        this.tell("locked", "Not connected: this service shows its fleet to those who have a key.");
        return; // a key that comes wakes it
      }
      if (response.ok) await this.follow(response.body, line);
      else {
        const problem = await response.json().catch(() => ({}));
        words = `Not connected. ${problem.title ?? `The service answered with status ${response.status}.`}`;
        seconds = Number(response.headers.get("Retry-After")) || null;
      }
    } catch {
      words = "Not connected: the service cannot be reached.";
    } finally {
      this.live = false;
      clearTimeout(this.watch);
    }
    if (this.line === line) this.later(words, seconds); // else it was stopped, or another one listens
  }

  async follow(body, line) {
    for await (const event of eventsOf(body, (ms) => { this.pauseSeconds = Math.max(0.1, ms / 1000); })) {
      this.hear(line);
      if (event?.name !== "fleet") continue;
      const fleet = JSON.parse(event.data);
      if (this.line !== line) return;
      this.live = true;
      this.failures = 0;
      this.tell("live", "Live");
      this.show(fleet);
    }
  }

  /** Something came, or may come now: the line is given up when nothing does. */
  hear(line) {
    clearTimeout(this.watch);
    this.watch = setTimeout(() => line.abort(), 1000 * SILENCE_SECONDS);
  }

  /** Twice as long after each failure, and never at the same time as every other page. */
  later(words, seconds) {
    const usual = this.pauseSeconds * 2 ** this.failures * (0.75 + Math.random() / 2);
    const pause = Math.max(seconds ?? 0, Math.min(LONGEST_SECONDS, usual));
    this.failures += 1;
    this.tell("lost", `${words} Trying again in ${Math.ceil(pause)} s.`);
    this.timer = setTimeout(() => this.listen(), 1000 * pause);
  }
}
