// How often a request crosses from wasm into JavaScript, and how many texts are made on the way: what a request costs beside its arithmetic,
// in numbers that are exact. One that grows was somebody's doing.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { SECRET, bearer, claims, gateway, hs, upstream } from "./harness.mjs";

const CONFIG = {
  log: { level: "off" },
  servers: [{ alias: "up", url: "$env.UP" }],
  authorizer: { type: "jwt", secret: "$env.SECRET", algorithm: "HS256", audience: "api-audience", forward_claims: { sub: "x-user-id" } },
  paths: [
    { method: "GET", path: "/fixed", response: { status: "ok" } },
    { method: "ANY", path: "/open/{.+}", integration: { type: "http_proxy", server: "up" } },
    { method: "ANY", path: "/closed/{.+}", auth: true, integration: { type: "http_proxy", server: "up" } },
  ],
};

/** Counts each import that the wasm calls, and each text that is made of its memory. */
const counting = (code) => {
  const counted = code
    .replaceAll(/(new WebAssembly\.Instance\(\w+, )((?:imports|__wbg_get_imports\(\)))\)/g, "$1__counted($2))")
    .replace("var entry_default = guard(", "var entry_default = __told(guard(")
    .replace(/(__told\(guard\(\w+\))/, "$1)");
  assert.ok(counted.includes("__told(guard(") && counted.includes("__counted("), "the bundle looks otherwise now");
  return `${counted}
var __calls;
function __call(name) { __calls ??= {}; __calls[name] = (__calls[name] ?? 0) + 1; }
function __counted(imports) {
  const counting = ([name, call]) => {
    const plain = name.replace(/^__wbg_|_[0-9a-f]{16}$/g, "");
    return [name, typeof call === "function" ? (...args) => (__call(plain), call(...args)) : call];
  };
  const groups = Object.entries(imports).map(([from, group]) => [from, Object.fromEntries(Object.entries(group).map(counting))]);
  const decode = TextDecoder.prototype.decode;
  TextDecoder.prototype.decode = function (bytes) { __call("text"); return decode.call(this, bytes); };
  return Object.fromEntries(groups);
}
function __told(worker) {
  return { ...worker, fetch(request, env, ctx) {
    if (!request.url.endsWith("/calls")) return worker.fetch(request, env, ctx);
    const told = __calls;
    __calls = {};
    return Response.json(told);
  } };
}`;
};

describe("crossings of a request in an isolate that is warm", () => {
  let gate;
  let up;
  before(async () => {
    up = await upstream();
    gate = await gateway(CONFIG, { bindings: { SECRET, UP: up.url }, patch: counting });
  });
  after(async () => {
    await gate?.stop();
    up?.stop();
  });

  const seen = hs(claims());
  // An answer is one text, as are the URL and the headers of a request that is sent on. What of the request is wanted comes with the call where it
  // has a token.
  const ANSWERED = { respond: 1, text: 1 };
  const SENT_ON = { forward: 1, text: 1 };
  for (const [name, path, token, status, expected] of [
    ["a fixed answer", "/fixed", () => undefined, 200, ANSWERED],
    ["no token", "/closed/x", () => undefined, 401, ANSWERED],
    ["a token seen before", "/closed/x", () => seen, 200, SENT_ON],
    ["without a token where none is needed", "/open/x", () => undefined, 200, { sent_on: 1, ...SENT_ON }],
    ["a new token", "/closed/x", () => hs(claims({ sub: crypto.randomUUID() })), 200, SENT_ON],
    ["a bad token", "/closed/x", () => `${hs(claims({ sub: crypto.randomUUID() })).slice(0, -8)}AAAAAAAA`, 401, ANSWERED],
  ]) {
    test(name, async () => {
      const ask = async () => {
        const value = token();
        const response = await gate.request(path, value === undefined ? {} : bearer(value));
        await response.arrayBuffer();
        assert.equal(response.status, status);
      };
      for (let times = 0; times < 3; times += 1) await ask();
      await gate.request("/calls");
      await ask();
      assert.deepEqual(await (await gate.request("/calls")).json(), expected);
    });
  }
});
