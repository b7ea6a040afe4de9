// The page of `portcullis debug`: what is in its fields goes to the library in this browser, and what that says is shown.
//
// Tokens are in the fields and nowhere else: not in the URL, not in storage, and the only requests are for the page's own files.
import init, * as library from "./portcullis.js";
import { byId, element, prose } from "./element.js";
import { offerRoutes, showPicture, showRoutes } from "./picture.js";
import { showAnswer, showProblems } from "./result.js";
import { tabs } from "./tabs.js";

/** How long typing has to rest before something is worked out, in milliseconds. */
const REST = 150;

const REQUEST = ["method", "path", "token", "headers", "jwks"];
const FIELDS = ["curl", "method", "path", "headers", "jwks"];

tabs(document.querySelector('[role="tablist"]'));
const value = (id) => byId(id).value;
let setup = { config: "", files: {}, env: null };
let routes = [];

/** Asks the library. After a trap its memory is not to be trusted, so the next question gets a fresh one. */
function ask(question, text) {
  try {
    return JSON.parse(library[question](text));
  } catch (error) {
    library.__wbg_reset_state?.();
    console.error(error);
    return { field: "page", error: "the page's program failed on this; the console of the browser says more", problems: [], routes: [] };
  }
}

const configured = () => ({ config: value("config"), files: setup.files, env: value("env") });

function configure() {
  const told = ask("configuration", JSON.stringify(configured()));
  // While an edit is half done, the routes of before are still good to choose from.
  if (told.svg) routes = told.routes;
  showProblems(told.problems ?? [], goTo);
  showPicture(told.svg);
  showRoutes(told.svg ? told.routes : []);
  offerRoutes(routes);
  explain();
}

function explain() {
  const time = value("time") ? Date.parse(`${value("time")}Z`) : Date.now();
  const fields = Object.fromEntries(REQUEST.map((id) => [id, value(id)]));
  const told = ask("answer", JSON.stringify({ ...configured(), ...fields, now: Math.max(0, Math.floor(time / 1000)) }));
  for (const id of FIELDS.slice(1)) wrong(id, told.field === id ? told.error : "");
  // Where keys are lacking, their field should be in sight.
  if (told.explanation?.unread || ["headers", "jwks"].includes(told.field)) byId("more").open = true;
  showAnswer(told);
}

/** Says what is wrong with a field, beside it and to those who listen. */
function wrong(id, error) {
  if (error) byId(id).setAttribute("aria-invalid", "true");
  else byId(id).removeAttribute("aria-invalid");
  byId(`${id}-error`).replaceChildren(...(error ? prose(error) : []));
}

function fillFromCurl() {
  const line = value("curl").trim();
  const told = line ? ask("curl", line) : { notes: [] };
  wrong("curl", told.error ?? "");
  byId("curl-notes").replaceChildren(...(told.notes ?? []).map((note) => element("li", {}, ...prose(note))));
  if (!line || told.error) return;
  for (const id of ["method", "path", "token", "headers"]) byId(id).value = told[id];
  byId("route").value = "";
  if (told.headers) byId("more").open = true;
  explain();
}

function chooseRoute() {
  const route = routes[value("route")];
  if (!route) return;
  byId("method").value = route.try.method;
  byId("path").value = route.try.path;
  explain();
}

function goTo({ line, column }) {
  const text = byId("config");
  const before = text.value.split("\n").slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  const place = before + column - 1;
  text.focus();
  text.setSelectionRange(place, place + 1);
  text.scrollTop = Math.max(0, (line - 8) * parseFloat(getComputedStyle(text).lineHeight));
}

/** Takes what is on disk; with `gently`, only where nothing was edited here. */
async function load(gently = false) {
  const fresh = await fetch("setup.json", { cache: "no-store" }).then((response) => response.json()).catch(() => ({ error: "`portcullis debug` does not answer any more" }));
  if (fresh.error) {
    if (!gently) byId("source").replaceChildren(...prose(fresh.error));
    return;
  }
  const edited = value("config") !== setup.config || value("env") !== (setup.env ?? "");
  const same = JSON.stringify(fresh) === JSON.stringify(setup);
  if (gently && (edited || same)) return;
  setup = { ...fresh, config: fresh.config.replaceAll("\r\n", "\n"), env: fresh.env?.replaceAll("\r\n", "\n") ?? null };
  byId("config").value = setup.config;
  byId("env").value = setup.env ?? "";
  byId("config-label").textContent = setup.file;
  byId("source").textContent = setup.envFile ? `${setup.file} with the secrets of ${setup.envFile}.` : `${setup.file}, without secrets.`;
  byId("env-source").textContent = setup.envFile
    ? `The values of ${setup.envFile} are in this page, since tokens cannot be checked without them. They stay on this machine, where other programs could ask for them too until portcullis debug ends.`
    : "None were given. Start with --env-file .dev.vars, or write them here: they stay in this page.";
  configure();
}

function rested(work) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(work, REST);
  };
}

await init({ module_or_path: "portcullis_bg.wasm" });
const soon = rested(explain);
for (const id of [...REQUEST, "time"]) byId(id).addEventListener("input", soon);
for (const id of ["method", "path"]) byId(id).addEventListener("input", () => (byId("route").value = ""));
byId("route").addEventListener("change", chooseRoute);
byId("curl").addEventListener("input", rested(fillFromCurl));
for (const id of ["config", "env"]) byId(id).addEventListener("input", rested(configure));
byId("request").addEventListener("submit", (event) => {
  event.preventDefault();
  explain();
});
// A form without a button is not submitted by Enter in every browser.
byId("request").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches("input")) {
    event.preventDefault();
    explain();
  }
});
byId("reload").addEventListener("click", () => load());
window.addEventListener("focus", () => load(true));
await load();
// A route that needs a token is what people come for.
const first = routes.findIndex((route) => !route.open);
byId("route").value = String(Math.max(0, first));
chooseRoute();
document.documentElement.dataset.ready = "true";
