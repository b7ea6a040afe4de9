// Tokens that are taken back before their end.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { SECRET, bearer, claims, gateway, hs, now } from "./harness.mjs";

const TTL = 1000;
const jwt = (more) => ({ type: "jwt", secret: "$env.SECRET", algorithm: "HS256", audience: "api-audience", ...more });
const CONFIG = {
  authorizer: jwt({ revocation: { cache_ttl_ms: TTL } }),
  authorizers: [
    { name: "open", ...jwt({ revocation: { fail: "open", cache_ttl_ms: TTL } }) },
    { name: "never", ...jwt({}) },
  ],
  paths: [
    { method: "GET", path: "/closed", auth: true, response: { ok: true } },
    { method: "GET", path: "/open", auth: "open", response: { ok: true } },
    { method: "GET", path: "/never", auth: "never", response: { ok: true } },
    { method: "GET", path: "/permissive", auth: { mode: "permissive" }, response: { ok: true } },
  ],
};

async function scene(t, options = {}) {
  const gate = await gateway(CONFIG, { bindings: { SECRET }, kvNamespaces: ["JWKS_CACHE", "REVOCATIONS"], ...options });
  t.after(gate.stop);
  const ask = async (path, payload) => {
    const response = await gate.request(path, bearer(hs(claims(payload))));
    return response.status === 200 ? 200 : (await response.json()).code;
  };
  const revoke = async (key, value = { version: 1 }) => (await gate.mf.getKVNamespace("REVOCATIONS")).put(`revoked:${key}`, typeof value === "string" ? value : JSON.stringify(value));
  return { gate, ask, revoke };
}

describe("a token is taken back", () => {
  test("by its jti", async (t) => {
    const { ask, revoke } = await scene(t);
    await revoke("default:jti:t-1");
    assert.deepEqual([await ask("/closed", { jti: "t-1" }), await ask("/closed", { jti: "t-2" }), await ask("/closed", {})], ["token_revoked", 200, 200]);
  });

  test("by its sub, wholly or up to a time", async (t) => {
    const { ask, revoke } = await scene(t);
    const time = now() - 100;
    await revoke("default:sub:a");
    await revoke("default:sub:b", { version: 1, before: time });
    assert.equal(await ask("/closed", { sub: "a", iat: now() }), "token_revoked");
    assert.equal(await ask("/closed", { sub: "b", iat: time - 1 }), "token_revoked");
    assert.equal(await ask("/closed", { sub: "b" }), "token_revoked", "one that does not say when it was issued");
    assert.equal(await ask("/closed", { sub: "b", iat: time }), 200);
    assert.equal(await ask("/closed", { sub: "c", iat: time - 1 }), 200);
  });

  test("by a sub or jti that is a number", async (t) => {
    const { ask, revoke } = await scene(t);
    await revoke("default:sub:123");
    await revoke("default:jti:9");
    assert.deepEqual([await ask("/closed", { sub: 123 }), await ask("/closed", { jti: 9 }), await ask("/closed", { sub: 124, jti: 8 })], ["token_revoked", "token_revoked", 200]);
  });

  test("with all that were issued before some time", async (t) => {
    const { ask, revoke } = await scene(t);
    const time = now() - 100;
    await revoke("default:all", { version: 1, before: time });
    assert.deepEqual([await ask("/closed", { iat: time - 1 }), await ask("/closed", { iat: time + 1 }), await ask("/closed", {})], ["token_revoked", 200, "token_revoked"]);
  });

  test("for its own authorizer alone", async (t) => {
    const { ask, revoke } = await scene(t);
    await revoke("default:sub:a");
    assert.deepEqual([await ask("/closed", { sub: "a" }), await ask("/open", { sub: "a" }), await ask("/never", { sub: "a" })], ["token_revoked", 200, 200]);
    await revoke("open:sub:a");
    await sleep(TTL + 100);
    assert.equal(await ask("/open", { sub: "a" }), "token_revoked");
  });

  test("within its bound, a token that was seen before too", async (t) => {
    const { ask, revoke } = await scene(t);
    const token = { jti: "seen", sub: "a", iat: now() };
    for (let count = 0; count < 3; count += 1) assert.equal(await ask("/closed", token), 200);
    const revoked = Date.now();
    await revoke("default:jti:seen");
    let last = revoked;
    while ((await ask("/closed", token)) === 200) last = Date.now();
    assert.ok(last - revoked <= TTL + 250, `it worked on for ${last - revoked} ms`);
  });

  test("by a record that cannot be read, and the log says so", async (t) => {
    const { gate, ask, revoke } = await scene(t);
    await revoke("default:sub:a", "{");
    await revoke("default:sub:b", { version: 9 });
    assert.deepEqual([await ask("/closed", { sub: "a" }), await ask("/closed", { sub: "b" })], ["token_revoked", "token_revoked"]);
    assert.match(gate.log(), /a revocation of default in REVOCATIONS cannot be used/);
  });

  test("by a key that is longer than KV's keys may be, known by its digest", async (t) => {
    const { ask } = await scene(t);
    assert.equal(await ask("/closed", { sub: "s".repeat(600), jti: "j".repeat(600) }), 200);
  });

  test("never before its signature is checked: a forged one is no question to KV", async (t) => {
    const { gate, revoke } = await scene(t);
    await revoke("default:sub:a");
    const forged = hs(claims({ sub: "a" }), { secret: "x".repeat(64) });
    const response = await gate.request("/closed", bearer(forged));
    assert.equal((await response.json()).code, "invalid_signature");
  });

  test("in permissive mode it is as good as none", async (t) => {
    const { gate, ask, revoke } = await scene(t);
    await revoke("default:sub:a");
    assert.equal(await ask("/permissive", { sub: "a" }), 200);
    assert.match(gate.log(), /"ignored":"token_revoked"/);
  });
});

describe("while KV is away", () => {
  const away = { kvNamespaces: ["JWKS_CACHE"], serviceBindings: { REVOCATIONS: () => new Response("no", { status: 500 }) } };

  test("tokens are refused, unless the setting says otherwise", async (t) => {
    const { ask } = await scene(t, away);
    assert.deepEqual([await ask("/closed", {}), await ask("/open", {}), await ask("/never", {}), await ask("/permissive", {})], ["keys_unavailable", 200, 200, 200]);
  });

  test("is no word for a namespace that is not bound: that is a fault, whatever the setting", async (t) => {
    const { ask } = await scene(t, { kvNamespaces: ["JWKS_CACHE"] });
    assert.deepEqual([await ask("/closed", {}), await ask("/open", {}), await ask("/never", {})], ["config_error", "config_error", 200]);
  });

  test("it is asked once in a while, not once a request", async (t) => {
    const { gate, ask } = await scene(t, away);
    for (let count = 0; count < 10; count += 1) await ask("/closed", { sub: "a" });
    assert.equal(gate.log().match(/records in REVOCATIONS cannot be read/g).length, 1);
  });
});

test("a list of any length costs a request one read of three keys, and the next ones none", async (t) => {
  // The namespace that the Worker sees tells of each call before it passes it on.
  const place = /=> (enter\(\w+, (\w+), \w+, start\) \?\? \w+\(.*?\))/;
  const told = `{ ...env, REVOCATIONS: { getWithMetadata() {}, get(keys) { console.log("READ " + JSON.stringify(keys)); return env.REVOCATIONS.get(keys); } } }`;
  const patch = (code) => {
    assert.match(code, place, "the bundle has changed: this test must find where requests enter");
    return code.replace(place, (_, entered, env) => `=> (${env} = ((env) => (${told}))(${env}), ${entered})`);
  };
  const { gate, ask } = await scene(t, { patch });
  const token = { sub: "a", jti: "b" };
  for (let count = 0; count < 5; count += 1) assert.equal(await ask("/closed", token), 200);
  await sleep(50);
  const reads = gate.log().split("\n").filter((line) => line.startsWith("READ ")).map((line) => JSON.parse(line.slice(5)));
  assert.deepEqual(reads, [["revoked:default:all", "revoked:default:jti:b", "revoked:default:sub:a"]]);
  await ask("/closed", { sub: "a", jti: "c" });
  await sleep(50);
  assert.match(gate.log(), /READ \["revoked:default:jti:c"\]/);
});
