/** The API key: asked for when the service wants one, kept for this tab only, sent with every request. */
import { element } from "./dom.js";

const NAME = "iraas-api-key";

let key = stored();
const listeners = new Set();

function stored() {
  try {
    return sessionStorage.getItem(NAME);
  } catch {
    return null; // storage is switched off: the key then lives as long as the page
  }
}

function keep(value) {
  key = value;
  try {
    sessionStorage.setItem(NAME, value);
  } catch {
    // as above
  }
  for (const listener of listeners) listener();
}

/** Call this whenever a key was typed. */
export const whenKeyed = (listener) => listeners.add(listener);

export const currentKey = () => key;

/** The header that carries the key, if there is one. */
export const authorization = () => (key ? { Authorization: `Bearer ${key}` } : {});

/** Put a form in front of `place`; `onKey` is called when a key was typed, and the form is gone. */
export function askForKey(place, onKey) {
  const words = key ? "That key was not accepted." : "It stays in this tab, and is forgotten when you close it.";
  const field = element("input", {
    id: "key", type: "password", autocomplete: "off", required: true,
    pattern: "[!-~]+", title: "letters, digits and signs, no spaces", "aria-describedby": "key-hint",
  });
  const form = element(
    "form",
    { className: "notice" },
    element("h2", {}, "This service needs an API key"),
    element("p", { id: "key-hint" }, words),
    element("label", { htmlFor: "key" }, "API key"),
    element("div", { className: "field" }, field, element("button", { className: "primary" }, "Use this key")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    keep(field.value);
    form.remove();
    onKey();
  });
  place.before(form);
  field.focus();
}
