/** A tag's name, properties and children -> an element. Text stays text: nothing here reads markup. */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [property, value] of Object.entries(properties)) {
    if (property in made) made[property] = value;
    else made.setAttribute(property, value);
  }
  made.append(...children);
  return made;
}

export const byId = (id) => document.getElementById(id);
