// What became of a request: how it ends and what to do, each step, what is in the token.
import { byId, element, mark, prose } from "./element.js";

/** Puts `children` where something else was: what stays the same is not read out again. */
function replace(host, children, key) {
  if (host.dataset.shown === key) return;
  host.dataset.shown = key;
  host.replaceChildren(...children);
}

export function showAnswer({ explanation, error, decoded }) {
  const verdict = byId("verdict");
  verdict.classList.toggle("refused", Boolean(error ?? explanation?.cause));
  verdict.classList.toggle("passes", Boolean(explanation && !explanation.cause));
  replace(verdict, error ? noAnswer(error) : told(explanation), JSON.stringify([error, explanation]));
  const steps = explanation?.steps ?? [];
  replace(byId("steps"), steps.map(step), JSON.stringify(steps));
  byId("steps").closest("section").hidden = steps.length === 0;
  byId("decoded").hidden = !decoded;
  if (decoded) {
    const parts = [part("Header", decoded.header), part("Claims", decoded.claims)];
    replace(byId("decoded-parts"), parts.filter(Boolean), JSON.stringify(decoded));
  }
}

function noAnswer(error) {
  return [
    element("p", { class: "outcome" }, mark(false, ""), "No answer yet"),
    element("p", { class: "cause" }, ...prose(sentence(error))),
  ];
}

function told({ status, code, unread, cause, fix, steps }) {
  if (!cause) {
    const last = steps.at(-1)?.text ?? "";
    const name = status ? `${status}` : "To the upstream";
    return [
      element("p", { class: "outcome" }, mark(true, ""), name, element("span", { class: "tag" }, "passes")),
      element("p", { class: "cause" }, ...prose(sentence(last))),
    ];
  }
  const name = code ? [`${status} `, element("code", {}, code)] : [`${status}`];
  // Keys and records are not asked for here, and the gateway may well have them.
  const outcome = unread ? ["Not known here: ", ...name, " where the gateway cannot read it either"] : [...name, element("span", { class: "tag" }, "refused")];
  return [
    element("p", { class: "outcome" }, mark(false, ""), ...outcome),
    element("p", { class: "cause" }, ...prose(sentence(cause))),
    fix ? element("div", { class: "fix" }, element("h3", {}, "What to do"), element("p", {}, ...prose(sentence(fix)))) : "",
  ];
}

/** The library's phrases begin small and end without a full stop. */
const sentence = (phrase) => (/^[a-z]/.test(phrase) ? phrase[0].toUpperCase() + phrase.slice(1) : phrase);

const step = ({ step: name, ok, text }) =>
  element("li", { class: ok ? "ok" : "not-ok" }, mark(ok), element("span", { class: "name" }, name), element("span", { class: "seen" }, ...prose(text)));

function part(name, members) {
  if (members.length === 0) return undefined;
  const rows = members.map(({ name: member, value, words }) =>
    element("tr", {}, element("th", { scope: "row", class: "code" }, member),
      element("td", {}, element("span", { class: "value code" }, value), words ? element("span", { class: "words" }, words) : "")));
  return element("table", { class: "members" }, element("caption", {}, name), element("tbody", {}, ...rows));
}

/** The problems of a configuration; `go` is called with a problem whose place is wanted. */
export function showProblems(problems, go) {
  const errors = problems.filter(({ severity }) => severity === "error").length;
  const warnings = problems.length - errors;
  const of = (number, what) => (number === 1 ? `1 ${what}` : `${number || "no"} ${what}s`);
  const words = `${of(errors, "problem")}, ${of(warnings, "warning")}`;
  replace(byId("problems-told"), [element("p", {}, mark(errors === 0, ""), ` ${sentence(words)}`)], words);
  const items = problems.map((problem) => {
    const { severity, line, column, message, pointer } = problem;
    const button = element("button", { type: "button", class: "place" }, element("span", { class: "hidden" }, "Go to line and column "), `${line}:${column}`);
    button.addEventListener("click", () => go(problem));
    return element("li", { class: severity }, button, element("span", { class: "tag" }, severity), element("p", {}, ...prose(message)), element("p", { class: "hint code" }, pointer || "/"));
  });
  replace(byId("problems"), items, JSON.stringify(problems));
  const count = byId("problem-count");
  count.hidden = errors === 0;
  count.replaceChildren(errors ? element("span", { class: "hidden" }, ", ") : "", errors ? of(errors, "problem") : "");
}
