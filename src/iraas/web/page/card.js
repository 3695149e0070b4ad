/** File -> a card: thumbnail, name, state, and then label, scores and time, or a problem in words. */
import { element } from "./dom.js";

const STATES = { waiting: "Waiting", uploading: "Uploading", classifying: "Classifying" };

export class Card {
  constructor(file, onRetry) {
    this.preview = URL.createObjectURL(file);
    this.thumbnail = element("img", {
      alt: `Preview of ${file.name}`, src: this.preview, loading: "lazy", decoding: "async",
    });
    this.thumbnail.addEventListener("error", () => this.thumbnail.replaceWith("no preview"));
    this.body = element("div", { className: "body" });
    this.item = element(
      "li",
      { className: "card" },
      element("div", { className: "thumbnail" }, this.thumbnail),
      element("h3", { className: "name", title: file.name }, file.name),
      this.body,
    );
    this.onRetry = onRetry;
    this.show("waiting");
  }

  /** A state before the end; `words` say more than its name. */
  show(state, words = STATES[state]) {
    this.item.dataset.state = state;
    this.body.replaceChildren(element("p", { className: "state" }, words));
  }

  /** An answer as the service gave it, and the milliseconds it took from here. */
  done(answer, roundTrip) {
    this.item.dataset.state = "done";
    this.body.replaceChildren(
      element("p", { className: "label" }, answer.label),
      element("ol", { className: "scores", role: "list", ariaLabel: "Scores" }, ...answer.predictions.map(scoreRow)),
      element(
        "p",
        { className: "facts" },
        element("span", {}, element("strong", {}, duration(answer.timing_ms.total)), " in the service"),
        element("span", {}, `${duration(roundTrip)} round trip`),
        element("span", { className: "model", title: answer.model }, answer.model.split("@")[0]),
      ),
    );
  }

  failed(problem) {
    this.item.dataset.state = "failed";
    this.body.replaceChildren(element("p", { className: "problem" }, problem.message));
    if (problem.detail) this.body.append(element("p", { className: "detail" }, problem.detail));
    if (problem.retryable) {
      const again = element("button", { type: "button" }, "Try again");
      again.addEventListener("click", this.onRetry);
      this.body.append(again);
    }
  }

  remove() {
    URL.revokeObjectURL(this.preview);
    this.item.remove();
  }
}

function scoreRow({ label, score }) {
  const bar = element("span", { className: "score-bar", ariaHidden: "true" });
  bar.style.setProperty("--score", score); // the policy forbids style attributes, not this
  return element("li", {}, element("span", {}, label), element("span", {}, percent(score)), bar);
}

/** 0.8312 -> "83.1%" */
export const percent = (score) => (score < 0.0005 ? "<0.1%" : `${(100 * score).toFixed(1)}%`);

const duration = (ms) => (ms < 9950 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
