// Making elements. Texts come from tokens, configurations and pasted lines, so they only ever become text: nothing here reads markup.

/** An element with attributes (those that are `undefined` or `false` are left out) and children, which are elements or texts. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(key, value);
  }
  made.append(...children.flat());
  return made;
}

/** A sentence of the library, in which names stand between backquotes. */
export function prose(text) {
  const parts = text.split("`");
  // An odd number of backquotes has one without a partner: it is a backquote.
  const paired = parts.length % 2 === 1;
  return paired ? parts.map((part, number) => (number % 2 === 1 ? element("code", {}, part) : part)) : [text];
}

/** A mark, with its words for those who listen. */
export function mark(ok, words = ok ? "passed: " : "failed: ") {
  return element("span", { class: `mark ${ok ? "good" : "bad"}` }, element("span", { "aria-hidden": "true" }, ok ? "✔" : "✘"), element("span", { class: "hidden" }, words));
}

export const byId = (id) => document.getElementById(id);
