// The page of `portcullis debug` in a real browser: what it says, that it can be used by everybody, and that nothing leaves the machine.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import axe from "axe-core";
import { AUDIENCE, ISSUER, SECRET, claims, hs, now, raw, root } from "./harness.mjs";
import { browser } from "./browser.mjs";
import { served } from "./served.mjs";

const CONFIG = {
  servers: [{ alias: "orders", url: "https://orders.example.com" }],
  authorizer: { type: "jwt", secret: "$secret.JWT_SECRET", algorithm: "HS256", issuer: ISSUER, audience: AUDIENCE },
  authorizers: [{ name: "provider", type: "jwt", jwks_url: "https://id.example.com/keys", issuer: "https://id.example.com", audience: AUDIENCE }],
  paths: [
    { method: "GET", path: "/health", response: { status: "ok" } },
    { method: "GET", path: "/private", auth: true, response: { private: true } },
    { method: "ANY", path: "/orders/{id}/{.+}", auth: true, integration: { type: "http_proxy", server: "orders" } },
    { method: "GET", path: "/partner", auth: "provider", response: {} },
  ],
};
const text = JSON.stringify(CONFIG, null, 2);
const FILES = ["/", "/style.css", "/app.js", "/element.js", "/picture.js", "/result.js", "/tabs.js", "/portcullis.js", "/portcullis_bg.wasm", "/setup.json"];
const expired = () => hs(claims({ iat: now() - 400, exp: now() - 100 }));
const shots = join(root, "build/page-screenshots");

let [server, chromium, page, requests, complaints] = [];

before(async () => {
  mkdirSync(shots, { recursive: true });
  server = await served({ "gateway.json": text, ".dev.vars": `JWT_SECRET="${SECRET}"\n` }, ["--env-file", ".dev.vars"]);
  chromium = await browser();
});
after(async () => {
  await chromium?.close();
  server?.stop();
});

beforeEach(async () => {
  server.write("gateway.json", text);
  page = await chromium.newPage();
  requests = [];
  complaints = [];
  const session = await page.createCDPSession();
  await session.send("Network.enable");
  session.on("Network.requestWillBeSent", ({ request }) => requests.push(`${request.method} ${request.url}`));
  session.on("Network.webSocketCreated", ({ url }) => requests.push(`WebSocket ${url}`));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => complaints.push(message.text()));
  await page.setViewport({ width: 1280, height: 900 });
  await show(server.url);
});

// Whatever a test does: no request but for the page's own files, nothing kept, nothing that the browser complains of.
afterEach(async () => {
  const own = new Set(FILES.map((file) => `GET ${new URL(file, server.url)}`));
  // `data:` is no request: the page's empty icon, and the browser's own for its date field.
  assert.deepEqual(requests.filter((one) => !own.has(one) && !one.startsWith("GET data:")), []);
  assert.ok(requests.length >= FILES.length);
  const kept = await page.evaluate(async () => [localStorage.length, sessionStorage.length, document.cookie, (await indexedDB.databases()).length, location.search, location.hash]);
  assert.deepEqual(kept, [0, 0, "", 0, "", ""]);
  assert.deepEqual(complaints, []);
  await page.close();
});

async function show(url) {
  await page.goto(url);
  await page.waitForSelector("html[data-ready]");
}

/** Replaces what is in a field, the way a paste does. */
async function paste(selector, content) {
  await page.focus(selector);
  await page.keyboard.down("Control");
  await page.keyboard.press("a");
  await page.keyboard.up("Control");
  await page.keyboard.press("Backspace");
  await (await page.createCDPSession()).send("Input.insertText", { text: content });
}

const words = (selector) => page.$eval(selector, (one) => one.innerText.replace(/\s+/g, " ").trim());

/** Waits until the text of an element fits. */
async function says(selector, pattern) {
  try {
    await page.waitForFunction((where, source) => new RegExp(source).test(document.querySelector(where).innerText.replace(/\s+/g, " ")), { timeout: 5000 }, selector, pattern.source);
  } catch {
    assert.match(await words(selector), pattern);
  }
}

const steps = () => page.$$eval("#steps li", (list) => list.map((item) => `${item.className} ${item.querySelector(".name").textContent}`));
const choose = (route) => page.$eval("#route", (select, wanted) => [...select.options].find((option) => option.textContent.startsWith(wanted)).value, route).then((value) => page.select("#route", value));

describe("what it says", () => {
  it("names an expired token, what to do, and when it ended", async () => {
    await paste("#token", `Bearer ${expired()}`);
    await says("#verdict", /401 token_expired refused It expired 10\d s ago; 30 s of skew are allowed What to do Get a new token/);
    assert.deepEqual(await steps(), ["ok route", "ok credential", "ok token", "ok algorithm", "not-ok time"]);
    assert.match(await words("#decoded"), /exp \d+ 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC — 10\d s ago/);
    assert.match(await words("#decoded"), /alg "HS256"/);
  });

  it("lets a good token pass every step", async () => {
    await paste("#token", hs());
    await says("#verdict", /^✔ 200 passes/);
    const told = await steps();
    assert.ok(told.length >= 8 && told.every((step) => step.startsWith("ok ")), told.join());
  });

  it("says what an upstream gets", async () => {
    await choose("ANY /orders");
    assert.equal(await page.$eval("#path", (field) => field.value), "/orders/1/anything");
    await paste("#token", hs());
    await says("#verdict", /To the upstream passes Sent on to https:\/\/orders\.example\.com\/1\/anything, with the headers/);
  });

  it("explains for another time", async () => {
    await paste("#token", hs(claims({ iat: 1_700_000_000, exp: 1_700_000_300 })));
    await says("#verdict", /token_expired/);
    await page.click("#more summary");
    await page.$eval("#time", (field) => {
      field.value = "2023-11-14T22:14:00";
      field.dispatchEvent(new Event("input"));
    });
    await says("#verdict", /200 passes/);
  });

  it("takes keys for a key URL, and opens their field where they are lacking", async () => {
    await choose("GET /partner");
    await paste("#token", hs(claims({ iss: "https://id.example.com" }), { header: { kid: "a", alg: "RS256" } }));
    await says("#verdict", /Not known here: 503 keys_unavailable where the gateway cannot read it either/);
    assert.equal(await page.$eval("#more", (details) => details.open), true);
    await paste("#jwks", "{");
    await says("#jwks-error", /./);
    assert.equal(await page.$eval("#jwks", (field) => field.getAttribute("aria-invalid")), "true");
  });

  it("fills its fields from a curl line", async () => {
    await paste("#curl", `curl 'http://localhost:8787/private?a=1' \\\n  -H 'Authorization: Bearer ${expired()}' -H "X-Trace: $ID" --compressed`);
    await says("#verdict", /token_expired/);
    const values = await page.$$eval("#method, #path, #headers", (fields) => fields.map((field) => field.value));
    assert.deepEqual(values, ["GET", "/private?a=1", "Accept-Encoding: deflate, gzip, br, zstd\nX-Trace: $ID"]);
    assert.match(await words("#curl-notes"), /\$ID is a variable of the shell/);
    await paste("#curl", "curl --frobnicate http://h/");
    await says("#curl-error", /not known here: --frobnicate/);
  });

  it("shows problems of an edit with their places, and the last answer comes back when they are gone", async () => {
    await page.click("#tab-configuration");
    await paste("#config", text.replace('"auth": true', '"auht": true'));
    await says("#problem-count", /1 problem/);
    assert.match(await words("#problems"), /unknown field auht : did you mean auth \?|unknown field auht: did you mean auth\?/);
    await page.click("#problems .place");
    const marked = await page.$eval("#config", (field) => field.value.slice(field.selectionStart, field.selectionStart + 6));
    assert.equal(marked, '"auht"');
    await page.click("#tab-gateway");
    assert.match(await words("#panel-gateway"), /has no picture/);
    await page.click("#tab-configuration");
    await paste("#config", text);
    await says("#problems-told", /No problems/);
  });

  it("reads gateway.json as it is on disk now", async () => {
    server.write("gateway.json", text.replaceAll("/health", "/alive"));
    await page.click("#tab-configuration");
    await page.click("#reload");
    await page.waitForFunction(() => document.querySelector("#config").value.includes("/alive"));
    await page.click("#tab-gateway");
    assert.match(await words("#routes"), /GET \/alive open/);
  });

  it("draws the gateway", async () => {
    await page.click("#tab-gateway");
    const picture = await page.$eval("#picture", (host) => {
      const svg = host.shadowRoot.querySelector("svg");
      const box = host.shadowRoot.querySelector(".open .box");
      return { role: svg.getAttribute("role"), title: svg.querySelector("title").textContent, fill: getComputedStyle(box).fill };
    });
    assert.deepEqual(picture, { role: "img", title: "4 routes, 1 without a token", fill: "rgb(255, 248, 197)" });
  });
});

describe("who can use it", () => {
  it("is used by keyboard alone", async () => {
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
    const reached = [];
    for (let presses = 0; presses < 7; presses += 1) {
      await page.keyboard.press("Tab");
      reached.push(await page.evaluate(() => document.activeElement.id || document.activeElement.localName));
    }
    assert.deepEqual(reached, ["tab-request", "curl", "route", "method", "path", "token", "summary"]);
    await page.focus("#route");
    await page.keyboard.type("GET /health");
    await page.keyboard.press("Tab");
    await says("#verdict", /200 passes/);
    await page.focus("#path");
    await page.keyboard.press("End");
    await page.keyboard.type("y");
    await page.keyboard.press("Enter");
    await says("#verdict", /404 not_found/);
    assert.equal(page.url(), server.url.href);
  });

  it("has tabs that arrows move between", async () => {
    const state = () => page.$$eval('[role="tab"]', (tabs) => tabs.map((tab) => `${tab.id.slice(4)} ${tab.getAttribute("aria-selected")} ${tab.tabIndex} ${!document.getElementById(tab.getAttribute("aria-controls")).hidden} ${tab === document.activeElement}`));
    await page.focus("#tab-request");
    for (const [key, chosen] of [["ArrowRight", 1], ["ArrowRight", 2], ["ArrowRight", 0], ["ArrowLeft", 2], ["Home", 0], ["End", 2]]) {
      await page.keyboard.press(key);
      const expected = ["request", "gateway", "configuration"].map((name, at) => `${name} ${at === chosen} ${at === chosen ? 0 : -1} ${at === chosen} ${at === chosen}`);
      assert.deepEqual(await state(), expected, key);
    }
    const roles = await page.$$eval('[role="tablist"], [role="tabpanel"]', (all) => all.map((one) => one.getAttribute("role")));
    assert.deepEqual(roles, ["tablist", "tabpanel", "tabpanel", "tabpanel"]);
  });

  it("has a name for every control, and says the answer aloud", async () => {
    const session = await page.createCDPSession();
    const CONTROLS = new Set(["button", "textbox", "combobox", "tab", "tabpanel", "tablist", "table", "image", "region", "form", "Date", "DateTime", "InputTime", "DisclosureTriangle", "listbox"]);
    for (const [tab, least] of [["request", 9], ["gateway", 8], ["configuration", 6]]) {
      await page.click(`#tab-${tab}`);
      await page.$$eval("details", (all) => all.forEach((details) => (details.open = true)));
      const { nodes } = await session.send("Accessibility.getFullAXTree");
      const controls = nodes.filter((node) => !node.ignored && CONTROLS.has(node.role?.value));
      const nameless = controls.filter((node) => !node.name?.value).map((node) => node.role.value);
      assert.deepEqual(nameless, [], tab);
      assert.ok(controls.length >= least, `${tab}: ${controls.map((node) => `${node.role.value} ${node.name.value}`).join("; ")}`);
    }
    assert.equal(await page.$eval("#verdict", (one) => one.getAttribute("role")), "status");
  });

  for (const scheme of ["light", "dark"]) {
    for (const width of [320, 360, 1280]) {
      it(`breaks no rule of axe and no edge, ${scheme}, ${width} pixels wide`, async () => {
        await page.setViewport({ width, height: 900 });
        await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }, { name: "prefers-reduced-motion", value: "reduce" }]);
        const look = async (name) => {
          await page.evaluate(axe.source);
          const { violations, passes } = await page.evaluate(() => globalThis.axe.run());
          assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target} ${node.any[0]?.message}`).join(", ")}`), [], name);
          assert.ok(passes.length > 20);
          assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), width, `${name} is wider than the window`);
          await page.screenshot({ path: join(shots, `${name}-${scheme}-${width}.png`), fullPage: true });
        };
        await paste("#token", expired());
        await says("#verdict", /token_expired/);
        await look("refused");
        await paste("#token", hs());
        await says("#verdict", /200 passes/);
        await page.click("#more summary");
        await paste("#headers", "nothing");
        await says("#headers-error", /is no header/);
        await look("wrong-field");
        await page.click("#tab-gateway");
        await look("gateway");
        await page.click("#tab-configuration");
        await page.click("#env-details summary");
        await paste("#config", text.replace('"auth": true', '"auht": true'));
        await says("#problem-count", /1 problem/);
        await look("configuration");
      });
    }
  }
});

describe("what it withstands", () => {
  const MARKUP = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script></svg>";

  it("makes no element of what is written in tokens, requests and configurations", async () => {
    const count = () => page.evaluate(() => [document, document.querySelector("#picture").shadowRoot].map((tree) => tree.querySelectorAll("img, script:not([src='app.js']), iframe, foreignObject, a:not(.skip)").length).join());
    const hostile = { ...CONFIG, authorizers: [{ ...CONFIG.authorizers[0], name: MARKUP }], servers: [{ alias: MARKUP, url: "https://h" }] };
    hostile.paths = [{ method: "GET", path: `/${MARKUP.replaceAll("/", "")}`, auth: MARKUP, integration: { type: "http_proxy", server: MARKUP } }, { method: "GET", path: "/private", auth: true, response: {} }];
    await page.click("#tab-configuration");
    await paste("#config", JSON.stringify(hostile));
    await says("#problems-told", /./);
    await page.click("#tab-gateway");
    await page.click("#tab-request");
    await paste("#token", hs(claims({ [MARKUP]: MARKUP, sub: MARKUP, iss: MARKUP }), { header: { kid: MARKUP } }));
    await paste("#path", `/${MARKUP}`);
    await page.click("#more summary");
    await paste("#headers", `X-A: ${MARKUP}`);
    await paste("#curl", `curl '--${MARKUP.replaceAll("'", "'\\''")}'`);
    await says("#curl-error", /not known here: --<img src=x/);
    await paste("#path", "/private");
    await says("#verdict", /invalid_issuer|invalid_signature/);
    assert.match(await words("#decoded"), /<img src=x/);
    assert.equal(await count(), "0,0");
    assert.equal(await page.title(), "Portcullis debug");
  });

  it("names what a hostile but sound configuration holds, as text alone", async () => {
    const hostile = { ...CONFIG, servers: [{ alias: MARKUP, url: "https://h" }], paths: [{ method: "GET", path: "/a", integration: { type: "http_proxy", server: MARKUP } }] };
    await page.click("#tab-configuration");
    await paste("#config", JSON.stringify(hostile));
    await page.click("#tab-gateway");
    await says("#routes", /GET \/a open/);
    const picture = await page.$eval("#picture", (host) => ({ text: host.shadowRoot.textContent.includes("<img src=x"), made: host.shadowRoot.querySelectorAll("img, script, a").length }));
    assert.deepEqual(picture, { text: true, made: 0 });
    assert.equal(await page.title(), "Portcullis debug");
  });

  it("keeps secrets from a page of a host that was bound to this machine", async () => {
    for (const [name, head, status] of [
      ["rebound", "GET /setup.json HTTP/1.1\nHost: evil.example", 421],
      ["rebound, with the port", `GET /setup.json HTTP/1.1\nHost: evil.example:${server.url.port}`, 421],
      ["from another site", `GET /setup.json HTTP/1.1\nHost: ${server.url.host}\nSec-Fetch-Site: cross-site`, 403],
      ["by POST", `POST /setup.json HTTP/1.1\nHost: ${server.url.host}`, 405],
      ["by OPTIONS", `OPTIONS /setup.json HTTP/1.1\nHost: ${server.url.host}`, 405],
    ]) {
      const answer = await raw(server.url, head);
      assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `), name);
      assert.ok(!answer.includes(SECRET), name);
      assert.doesNotMatch(answer, /access-control/i, name);
    }
    assert.match(await raw(server.url, `GET /setup.json HTTP/1.1\nHost: ${server.url.host}`), new RegExp(SECRET));
  });

  it("gives out its own files and no others", async () => {
    for (const path of ["/../gateway.json", "/.dev.vars", "//etc/passwd", "/%2e%2e/.dev.vars", "/..%2f.dev.vars", "/style.css/../.dev.vars", "/.stamp", "/index.html"]) {
      assert.match(await raw(server.url, `GET ${path} HTTP/1.1\nHost: ${server.url.host}`), /^HTTP\/1.1 404 /, path);
    }
    for (const file of FILES) {
      const answer = await raw(server.url, `HEAD ${file} HTTP/1.1\nHost: ${server.url.host}`);
      assert.match(answer, /^HTTP\/1.1 200 /, file);
      assert.match(answer, /content-security-policy: default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'\r\n/, file);
      assert.match(answer, /cache-control: no-store\r\nc/, file);
      assert.match(answer, /referrer-policy: no-referrer\r\n/, file);
    }
  });

  it("listens on the loopback address alone", async () => {
    const others = Object.values(networkInterfaces()).flat().filter(({ internal, family }) => !internal && family === "IPv4");
    const open = (host) => new Promise((resolve) => {
      const socket = connect({ host, port: Number(server.url.port), timeout: 2000 });
      const done = (answer) => () => resolve(socket.destroy() && answer);
      socket.on("connect", done(true)).on("error", done(false)).on("timeout", done(false));
    });
    assert.equal(await open("127.0.0.1"), true);
    for (const { address } of others) assert.equal(await open(address), false, address);
  });

  it("knows no secrets unless they are given", async () => {
    const bare = await served({ "gateway.json": text, ".dev.vars": `JWT_SECRET="${SECRET}"\n` });
    try {
      const answer = await fetch(new URL("/setup.json", bare.url)).then((response) => response.json());
      assert.equal(answer.env, null);
      assert.ok(!JSON.stringify(answer).includes(SECRET));
    } finally {
      bare.stop();
    }
  });
});
