// A trap in the wasm: the requests in it are answered, and the next one finds a fresh instance. The library is written to have none, so
// the instance here is one of a few bytes that traps when told to, behind the guard that the Worker really uses.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Miniflare } from "miniflare";
import { SECRET, bearer, claims, gateway, hs, root, upstream } from "./harness.mjs";

// (module (func (export "trap") unreachable))
const TRAPPING = Buffer.from("0061736d01000000010401600000030201000708010474726170000" + "00a05010300000b", "hex");

const ENTRY = `
import module from "./trap.wasm";
import { guard } from "./guard.js";
import { attend, failed, give, request, env } from "./src/current.js";
let resets = 0;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export default guard({
  __wbg_reset_state() { resets += 1; },
  fetch(head, now) {
    const { pathname } = new URL(head.split("\\n")[1]);
    const [asked, within] = [request, env];
    const failing = (error) => give(Promise.reject(error).catch((error) => failed(asked, within, error)));
    if (pathname === "/now") new WebAssembly.Instance(module).exports.trap();
    if (pathname === "/given-and-trapped") { give(Response.json({ of: "another" })); new WebAssembly.Instance(module).exports.trap(); }
    if (pathname === "/") give(Response.json({ resets }));
    if (pathname === "/upstream") failing(Object.assign(new Error("secret words"), { name: "UpstreamFailure", kind: "timeout", id: "r-1", line: "{}" }));
    if (pathname === "/rejected") failing(new Error("secret words"));
    // Another request has to wait inside the instance.
  },
  fetch_waiting(request, env, ctx) {
    const { trap } = new WebAssembly.Instance(module).exports;
    switch (new URL(request.url).pathname) {
      case "/awaited": return (async () => { await sleep(5); trap(); })();
      case "/then": sleep(5).then(trap); return new Promise(() => {});
      case "/microtask": sleep(5).then(() => queueMicrotask(trap)); return new Promise(() => {});
      case "/given-and-awaited": return (async () => { await sleep(5); attend(request, env, ctx); give(Response.json({ of: "another" })); trap(); })();
      case "/nothing": return Promise.resolve({});
      case "/at-once": return trap();
      case "/sent-on": return Promise.resolve({ answer: sleep(300).then(() => Response.json({ of: "its upstream" })) });
      case "/waits": return sleep(300).then(() => new Promise(() => {}));
    }
  },
  refuse_upstream(head, kind, words, id, line) { give(Response.json({ kind, words, id, line, path: new URL(request.url).pathname }, { status: 504 })); },
});
`;

describe("a trap in the wasm", () => {
  let mf;
  let url;
  before(async () => {
    mf = new Miniflare({
      compatibilityDate: "2026-04-01",
      modules: [
        { type: "ESModule", path: "entry.js", contents: ENTRY },
        { type: "ESModule", path: "guard.js", contents: readFileSync(join(root, "worker/guard.js"), "utf8") },
        { type: "ESModule", path: "src/current.js", contents: readFileSync(join(root, "worker/src/current.js"), "utf8") },
        { type: "CompiledWasm", path: "trap.wasm", contents: TRAPPING },
      ],
      handleRuntimeStdio() {},
    });
    url = await mf.ready;
  });
  after(() => mf?.dispose());

  const get = async (path) => {
    const response = await fetch(new URL(path, url));
    return [response.status, await response.json()];
  };

  for (const path of ["/now", "/given-and-trapped", "/at-once", "/awaited", "/then", "/microtask"]) {
    test(`${path}: is a 500 in the common shape, and the next request gets a fresh instance`, async () => {
      const [, { resets }] = await get("/");
      const [status, body] = await get(path);
      assert.deepEqual([status, body.code, body.statusCode], [500, "internal_error", 500]);
      assert.deepEqual(await get("/"), [200, { resets: resets + 1 }]);
    });
  }

  test("what was given to a request before it trapped is no other's answer", async () => {
    for (const path of ["/given-and-trapped", "/given-and-awaited"]) {
      for (const next of [path, "/nothing", "/nothing"]) {
        const [status, body] = await get(next);
        assert.deepEqual([status, body.code], [500, "internal_error"], `${next} after ${path}`);
      }
    }
    await get("/");
  });

  test("ends those that wait in the same instance with a 500 each", async () => {
    const waiting = Array.from({ length: 5 }, () => get("/waits"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await get("/now");
    for (const [status, body] of await Promise.all(waiting)) assert.deepEqual([status, body.code], [500, "internal_error"]);
    assert.equal((await get("/"))[0], 200);
  });

  test("leaves those alone that have waited, and wait for their upstream now", async () => {
    const sent = get("/sent-on");
    await new Promise((resolve) => setTimeout(resolve, 50));
    await get("/now");
    assert.deepEqual(await sent, [200, { of: "its upstream" }]);
  });

  test("what the upstream's failure means is the gateway's to say", async () => {
    assert.deepEqual(await get("/upstream"), [504, { kind: "timeout", words: "secret words", id: "r-1", line: "{}", path: "/upstream" }]);
  });

  test("an error that is no trap says nothing of itself, and keeps the instance", async () => {
    const [, { resets }] = await get("/");
    const [status, body] = await get("/rejected");
    assert.equal(status, 500);
    assert.ok(!JSON.stringify(body).includes("secret"));
    assert.deepEqual(await get("/"), [200, { resets }]);
  });
});

describe("the gateway itself, made to trap from outside", () => {
  test("answers what was under way with a 500, and the next request as if nothing had been", async (t) => {
    const up = await upstream();
    const config = {
      servers: [{ alias: "up", url: up.url }],
      authorizer: { type: "jwt", secret: "$env.SECRET", algorithm: "HS256", audience: "api-audience", forward_claims: { sub: "x-user-id" } },
      paths: [{ method: "ANY", path: "/{.+}", auth: true, integration: { type: "http_proxy", server: "up" } }],
    };
    // Nothing in a request can do this, so the bundle is given a way: more memory asked of the real wasm than there can be.
    const place = "gateway.fetch(head(), Date.now())";
    const patch = (code) => {
      assert.ok(code.includes(place), "the bundle has changed: this test must find where requests enter the wasm");
      return code.replace(place, `(request.headers.has("x-trap") ? wasm.__wbindgen_malloc(0xffffffff, 8) : undefined) ?? ${place}`);
    };
    const gate = await gateway(config, { bindings: { SECRET }, patch });
    t.after(() => Promise.all([gate.stop(), up.stop()]));
    for (let round = 0; round < 3; round += 1) {
      const good = await gate.request("/a", bearer(hs(claims({ sub: `user-${round}` }))));
      assert.equal((await good.json()).headers["x-user-id"], `user-${round}`);
      const trapped = await gate.request("/a", { headers: { "x-trap": "1" } });
      assert.deepEqual([trapped.status, (await trapped.json()).code], [500, "internal_error"]);
    }
    assert.equal((await gate.request("/a")).status, 401);
  });
});
