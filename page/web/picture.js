// The gateway as a picture and as a table.
import { byId, element } from "./element.js";

/** What a picture of the library consists of. It escapes every text; anything else here would be a fault, and is not shown. */
const KNOWN = new Set(["svg", "title", "desc", "rect", "text", "g", "path"]);

/** Puts the picture into a shadow tree: its rules are for itself, and the page's policy lets no element bring rules along. */
export function showPicture(svg) {
  const host = byId("picture");
  const shadow = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  byId("picture-missing").hidden = Boolean(svg);
  host.hidden = !svg;
  shadow.replaceChildren();
  if (!svg) return;
  // The policy would complain of the rules already when they are read as a part of the picture.
  const [, rules] = svg.match(/<style>([^<]*)<\/style>/);
  const picture = new DOMParser().parseFromString(svg.replace(/<style>[^<]*<\/style>/, ""), "image/svg+xml").documentElement;
  const elements = [picture, ...picture.querySelectorAll("*")];
  const sound = elements.every((one) => KNOWN.has(one.localName) && [...one.attributes].every(({ name }) => !/^on|href|style/i.test(name)));
  if (!sound) throw new Error("the picture holds what no picture of the library holds");
  const own = new CSSStyleSheet();
  own.replaceSync(`${rules} .page{fill:none} svg{display:block;max-width:max(100%,46rem);height:auto;margin:auto}`);
  shadow.adoptedStyleSheets = [own];
  shadow.append(document.importNode(picture, true));
}

export function showRoutes(routes) {
  byId("routes-card").hidden = routes.length === 0;
  const rows = routes.map((route) => {
    const who = route.open ? element("span", { class: "badge" }, route.mode ?? "open") : "";
    const names = route.who === "open" ? "" : route.who;
    return element("tr", {},
      element("th", { scope: "row", class: "code" }, `${route.methods} ${route.path}`),
      element("td", {}, names, names && who ? " " : "", who),
      element("td", {}, route.demands.join("; ") || "–"),
      element("td", { class: "code" }, route.upstream),
    );
  });
  byId("routes").tBodies[0].replaceChildren(...rows);
}

/** The routes to choose from. */
export function offerRoutes(routes) {
  const select = byId("route");
  const chosen = select.selectedOptions[0]?.textContent;
  const name = (route) => `${route.methods} ${route.path} — ${route.open ? (route.mode ? `${route.mode} (${route.who})` : "open") : route.who}`;
  const options = routes.map((route, number) => element("option", { value: number }, name(route)));
  select.replaceChildren(select.options[0], ...options);
  select.selectedIndex = Math.max(0, [...select.options].findIndex((option) => option.textContent === chosen));
}
