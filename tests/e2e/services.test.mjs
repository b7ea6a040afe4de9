// Other Workers: as upstreams, and as hooks that are asked first. Real second Workers, each in an isolate of its own.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import WebSocket from "ws";
import { SECRET, bearer, claims, gateway, hs, upstream } from "./harness.mjs";

const BACKEND = `
export default {
  async fetch(request) {
    const { pathname, search, host } = new URL(request.url);
    if (pathname === "/socket") {
      const [client, server] = Object.values(new WebSocketPair());
      server.accept();
      server.addEventListener("message", ({ data }) => server.send("echo " + data));
      return new Response(null, { status: 101, webSocket: client });
    }
    if (pathname === "/throws") throw new Error("secret words");
    if (pathname === "/silent") return new Promise(() => setTimeout(() => {}, 60000));
    const headers = Object.fromEntries(request.headers);
    return Response.json({ from: "backend", method: request.method, pathname, search, host, headers, body: await request.text() });
  },
};`;

const HOOK = `
export default {
  async fetch(request) {
    const url = new URL(request.url);
    switch (url.searchParams.get("hook")) {
      case "refuse": return Response.json({ why: "the hook says so" }, { status: 403, headers: { "x-hook": "1" } });
      case "tells": return new Response("with a body", { headers: { "x-gateway-set-x-key": "K-SECRET", "x-hook": "1" } });
      case "refuses": return new Response(null, { status: 403, headers: { "x-gateway-set-x-key": "K-SECRET", "x-hook": "1" } });
      case "unsets": return new Response(null, { status: 204, headers: { "x-gateway-set-x-plan": "" } });
      case "redirect": return Response.redirect("https://login.example/", 302);
      case "body": return Response.json({ instead: true });
      case "empty": return new Response("");
      case "stream": { const { readable, writable } = new TransformStream(); writable.close(); return new Response(readable); }
      case "204": return new Response(null, { status: 204, headers: { "x-gateway-set-x-plan": "pro", "x-gateway-set-host": "evil", "x-gateway-set-content-length": "7", "x-other": "no" } });
      case "throws": throw new Error("secret words");
      case "silent": return new Promise(() => setTimeout(() => {}, 60000));
    }
    return new Response(null, {
      status: 204,
      headers: { "x-gateway-set-x-seen": [request.method, url.pathname, request.headers.get("x-user-id"), (await request.text()).length].join(" ") },
    });
  },
};`;

const TO = { type: "http_proxy", server: "up" };
const hooked = (path, more) => ({ method: "ANY", path, pre_process: "hook", integration: TO, ...more });
const CONFIG = {
  servers: [{ alias: "up", url: "$env.UP" }],
  service_bindings: [
    { alias: "backend", binding: "BACKEND" },
    { alias: "hook", binding: "HOOK" },
    { alias: "missing", binding: "NOBODY" },
    { alias: "a-variable", binding: "UP" },
  ],
  cors: { allow_origins: ["https://app.example"] },
  authorizer: { type: "jwt", secret: "$env.SECRET", algorithm: "HS256", audience: "api-audience", forward_claims: { sub: "x-user-id" } },
  paths: [
    { method: "ANY", path: "/svc/{.+}", auth: { mode: "optional" }, integration: { type: "service_binding", binding: "backend" } },
    { method: "GET", path: "/svc/slow", integration: { type: "service_binding", binding: "backend", rewrite: "/silent", timeout_ms: 200 } },
    { method: "GET", path: "/whole/{id}", integration: { type: "service_binding", binding: "backend" } },
    { method: "GET", path: "/missing", integration: { type: "service_binding", binding: "missing" } },
    { method: "GET", path: "/no-service", integration: { type: "service_binding", binding: "a-variable" } },
    { method: "ANY", path: "/direct", auth: { mode: "optional" }, integration: TO },
    { method: "ANY", path: "/open", integration: TO },
    hooked("/hooked/{.+}", { auth: { mode: "optional" } }),
    hooked("/closed/{.+}", { auth: true }),
    { method: "GET", path: "/fixed", pre_process: "hook", response: { fixed: true } },
    hooked("/impatient", { pre_process: { binding: "hook", timeout_ms: 150 } }),
    hooked("/unguarded", { pre_process: "missing" }),
    { method: "GET", path: "/unguarded-fixed", pre_process: "missing", response: { fixed: true } },
  ],
};

let gate;
let up;
before(async () => {
  up = await upstream();
  const worker = (script) => ({ modules: true, script, compatibilityDate: "2026-04-01" });
  gate = await gateway(CONFIG, {
    bindings: { UP: up.url, SECRET },
    serviceBindings: { BACKEND: "backend", HOOK: "hook" },
    others: [{ name: "backend", ...worker(BACKEND) }, { name: "hook", ...worker(HOOK) }],
  });
});
after(async () => {
  await gate?.stop();
  await up?.stop();
});

describe("headers that a hook wants set", () => {
  test("are not the client's, whatever it answers instead", async () => {
    for (const [verdict, status] of [["tells", 200], ["refuses", 403]]) {
      for (const path of ["/hooked/x", "/fixed"]) {
        const response = await gate.request(`${path}?hook=${verdict}`);
        assert.deepEqual([response.status, response.headers.get("x-hook"), response.headers.get("x-gateway-set-x-key")], [status, "1", null], `${verdict} ${path}`);
      }
    }
  });

  test("are removed where it sets them to nothing, in every spelling", async () => {
    const forged = { "x-plan": "pro", x_plan: "pro", "x.plan": "pro" };
    const { headers } = await (await gate.request("/hooked/x?hook=unsets", { headers: forged })).json();
    assert.deepEqual(Object.keys(headers).filter((name) => /^x.plan$/.test(name)), []);
  });
});

describe("what an upstream answers to somebody who is known", () => {
  // Without that a Worker reads and fills the cache of its zone, by the URL alone. The runtime tells the upstream too.
  test("is not for a cache", async () => {
    const told = async (path, init) => (await (await gate.request(path, init)).json()).headers["cache-control"];
    const token = bearer(hs(claims()));
    assert.equal(await told("/closed/x?hook=204", token), "no-cache", "with a token");
    assert.equal(await told("/hooked/x?hook=204"), "no-cache", "behind a hook");
    assert.equal(await told("/direct", token), "no-cache", "in the short way");
    assert.equal(await told("/direct", { ...token, method: "POST", body: "x" }), "no-cache", "with a body");
    assert.equal(await told("/direct"), "no-cache", "of nobody, where tokens count");
    assert.equal(await told("/open"), undefined, "where nobody is asked for");
    assert.equal(await told("/direct", { headers: { ...token.headers, "cache-control": "max-age=0" } }), "max-age=0", "the client's own word");
    assert.equal(await told("/svc/x", token), undefined, "a bound Worker has no cache before it");
  });
});

describe("a hook that answers with what is no answer", () => {
  const config = (cors) => ({
    ...cors,
    servers: CONFIG.servers,
    service_bindings: [{ alias: "hook", binding: "HOOK" }],
    paths: [hooked("/hooked/{.+}"), { method: "GET", path: "/fixed", pre_process: "hook", response: { fixed: true } }],
  });
  const lines = { 103: "103 Early Hints", 600: "600 Odd", 999: "999 Odder" };
  const authority = createServer((socket) => {
    socket.once("data", (data) => socket.end(`HTTP/1.1 ${lines[/^GET \/(\d+)/.exec(data)?.[1]]}\r\nContent-Length: 0\r\n\r\n`));
    socket.on("error", () => {});
  });
  before(() => new Promise((resolve) => authority.listen(0, "127.0.0.1", resolve)));
  after(() => authority.close());

  for (const [name, cors] of [["with cross-origin rules", { cors: CONFIG.cors }], ["without", {}]]) {
    test(`is a 502, ${name}`, async () => {
      const script = `export default { fetch(request) {
        const status = request.headers.get("x-status");
        return status === "0" ? Response.error() : fetch("http://127.0.0.1:${authority.address().port}/" + status, { headers: { host: "h" } });
      } };`;
      const other = { name: "hook", modules: true, script, compatibilityDate: "2026-04-01" };
      const hooks = await gateway(config(cors), { bindings: { UP: up.url }, serviceBindings: { HOOK: "hook" }, others: [other] });
      try {
        for (const status of ["0", "103", "600", "999"]) {
          for (const path of ["/hooked/x", "/fixed"]) {
            const response = await hooks.request(path, { headers: { "x-status": status }, signal: AbortSignal.timeout(10_000) });
            assert.equal(response.status, 502, `${status} ${path}`);
            assert.equal((await response.json()).code, "upstream_unreachable");
          }
        }
      } finally {
        await hooks.stop();
      }
    });
  }
});

const got = async (path, init) => {
  const response = await gate.request(path, init);
  const text = await response.text();
  return { status: response.status, response, body: text === "" ? undefined : JSON.parse(text) };
};

describe("another Worker as an upstream", () => {
  test("gets the request as a server would: path, query, body, identity and forwarding headers", async () => {
    const init = { method: "POST", body: "hello", headers: { authorization: `Bearer ${hs()}`, "x-user-id": "forged", "x-kept": "1" } };
    const { status, body } = await got("/svc/a/b?c=%20d", init);
    assert.equal(status, 200);
    assert.deepEqual([body.from, body.method, body.pathname, body.search, body.body], ["backend", "POST", "/a/b", "?c=%20d", "hello"]);
    assert.equal(body.host, gate.url.host);
    assert.deepEqual([body.headers["x-user-id"], body.headers["x-kept"], body.headers["x-forwarded-host"]], ["user-1", "1", gate.url.host]);
  });

  test("gets the whole path of a pattern without a rest", async () => assert.equal((await got("/whole/7")).body.pathname, "/whole/7"));

  test("speaks WebSocket", async () => {
    const socket = new WebSocket(new URL("/svc/socket", gate.url.href.replace("http", "ws")));
    const message = await new Promise((resolve, reject) => {
      socket.on("open", () => socket.send("hi"));
      socket.on("message", (data) => resolve(data.toString()));
      socket.on("error", reject);
    });
    socket.close();
    assert.equal(message, "echo hi");
  });

  test("that throws is a 502, and its words stay inside", async () => {
    const { status, body } = await got("/svc/throws");
    assert.deepEqual([status, body.code], [502, "upstream_unreachable"]);
    assert.ok(!JSON.stringify(body).includes("secret"));
  });

  test("that is silent is a 504", async () => {
    const { status, body } = await got("/svc/slow");
    assert.deepEqual([status, body.code], [504, "upstream_timeout"]);
  });

  for (const path of ["/missing", "/no-service"]) {
    test(`that is not bound is a 500 (${path}), and said when the isolate starts`, async () => {
      const { status, body } = await got(path);
      assert.deepEqual([status, body.code], [500, "config_error"]);
      assert.match(gate.log(), /no service is bound as `(NOBODY|UP)`/);
    });
  }
});

describe("a hook", () => {
  test("is asked before the upstream, with identity and without the body, which the upstream then gets", async () => {
    const { body } = await got("/hooked/a?x=1", { method: "PUT", body: "hello", headers: { authorization: `Bearer ${hs()}`, "x-seen": "forged" } });
    assert.equal(body.headers["x-seen"], "PUT /hooked/a user-1 0");
    assert.deepEqual([body.method, body.url, body.body], ["PUT", "/a?x=1", "hello"]);
  });

  test("sees no identity that a client made up", async () => {
    const { body } = await got("/hooked/a", { headers: { "x-user-id": "forged" } });
    assert.equal(body.headers["x-seen"], "GET /hooked/a  0");
  });

  test("sets headers for the upstream, but none that say where a request goes or ends", async () => {
    const { status, body } = await got("/hooked/a?hook=204", { method: "POST", body: "hello", headers: { "x-plan": "forged" } });
    assert.equal(status, 200);
    assert.equal(body.headers["x-plan"], "pro");
    assert.equal(body.headers["x-other"], undefined);
    assert.equal(body.headers.host, new URL(up.url).host);
    assert.equal(body.body, "hello");
  });

  for (const kind of ["empty", "stream"]) {
    test(`that answers 200 with a body of no bytes lets the request pass (${kind})`, async () => {
      assert.equal((await got(`/hooked/a?hook=${kind}`)).body.url, `/a?hook=${kind}`);
    });
  }

  test("that refuses is the answer, and the upstream is not asked", async () => {
    const before = up.seen.length;
    const { status, response, body } = await got("/hooked/a?hook=refuse", { headers: { origin: "https://app.example" } });
    assert.deepEqual([status, body.why, response.headers.get("x-hook")], [403, "the hook says so", "1"]);
    assert.equal(response.headers.get("access-control-allow-origin"), "https://app.example");
    assert.equal((await got("/hooked/a?hook=redirect")).response.headers.get("location"), "https://login.example/");
    assert.deepEqual((await got("/hooked/a?hook=body")).body, { instead: true });
    assert.equal(up.seen.length, before);
  });

  test("refuses HEAD as it refuses GET, though an answer to HEAD has no body", async () => {
    const before = up.seen.length;
    const head = await gate.request("/hooked/a?hook=body", { method: "HEAD" });
    assert.equal(head.status, 200);
    assert.equal(up.seen.length, before, "the upstream was asked");
    assert.equal((await gate.request("/hooked/a", { method: "HEAD" })).status, 200);
    assert.equal(up.seen.at(-1).method, "HEAD");
  });

  test("sets headers that no spelling of a client's stands beside", async () => {
    const { body } = await got("/hooked/a?hook=204", { headers: { x_plan: "forged", "X-Plan": "forged" } });
    assert.equal(body.headers["x-plan"], "pro");
    assert.equal(body.headers.x_plan, undefined);
  });

  test("stands before fixed answers too", async () => {
    assert.deepEqual((await got("/fixed")).body, { fixed: true });
    assert.equal((await got("/fixed?hook=refuse")).status, 403);
  });

  test("is not asked for what was refused before it", async () => {
    assert.equal((await got("/closed/a?hook=body")).status, 401);
  });

  test("that throws is a 502, that is silent a 504, and nobody passes", async () => {
    const before = up.seen.length;
    assert.deepEqual([(await got("/hooked/a?hook=throws")).status, (await got("/impatient?hook=silent")).status], [502, 504]);
    assert.equal(up.seen.length, before);
  });

  for (const path of ["/unguarded", "/unguarded-fixed"]) {
    test(`that is not bound refuses everything (${path})`, async () => {
      const { status, body } = await got(path);
      assert.deepEqual([status, body.code], [500, "config_error"]);
    });
  }
});
