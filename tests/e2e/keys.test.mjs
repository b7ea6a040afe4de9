// Key sets from URLs: memory, then KV, then the source; what the client gets, and how often the source is asked.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { SignJWT } from "jose";
import { AUDIENCE, ISSUER, bearer, gateway, now, upstream } from "./harness.mjs";

const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
const jwk = (kid, key = pair) => ({ ...key.publicKey.export({ format: "jwk" }), kid });
const token = (kid = "a", key = pair) =>
  new SignJWT({ iss: ISSUER, aud: AUDIENCE, exp: now() + 300 }).setProtectedHeader({ alg: "RS256", kid }).sign(key.privateKey);

const config = (url, more = {}) => ({
  authorizer: { type: "jwt", jwks_url: url, issuer: ISSUER, audience: AUDIENCE, ...more },
  paths: [
    { method: "GET", path: "/private", auth: true, response: { ok: true } },
    { method: "GET", path: "/perhaps", auth: { mode: "permissive" }, response: { ok: true } },
    { method: "GET", path: "/open", response: { ok: true } },
  ],
});

/** A key server that answers as `answer` says, and a gateway that uses it. */
async function scene(t, answer, more = {}, options = {}) {
  const source = await upstream((request, response) => {
    answer(response, request);
    return true;
  });
  const gate = await gateway(config(`${source.url}/jwks`, more), options);
  t.after(async () => {
    await gate.stop();
    await source.stop();
  });
  const get = async (path, bearerToken) => {
    const response = await gate.request(path, bearerToken ? bearer(bearerToken) : {});
    return [response.status, (await response.json()).code];
  };
  return { gate, source, get };
}

const serve = (...keys) => (response) => response.setHeader("content-type", "application/json").end(JSON.stringify({ keys }));

test("twenty cold requests at once cost one fetch, and later ones none", async (t) => {
  const { source, get } = await scene(t, (response) => setTimeout(() => serve(jwk("a"))(response), 150));
  const good = await token();
  const answers = await Promise.all(Array.from({ length: 20 }, () => get("/private", good)));
  assert.ok(answers.every(([status]) => status === 200), JSON.stringify(answers));
  for (let count = 0; count < 50; count += 1) await get("/private", good);
  assert.equal(source.seen.length, 1);
});

test("a second isolate takes the keys from KV", async (t) => {
  const { gate, source } = await scene(t, serve(jwk("a")));
  assert.equal((await gate.request("/private", bearer(await token()))).status, 200);
  const kv = await gate.kv();
  const key = `jwks:${source.url}/jwks`;
  const stored = await kv.get(key);
  const other = await gateway(config(`${source.url}/jwks`));
  t.after(other.stop);
  await (await other.kv()).put(key, stored);
  assert.equal((await other.request("/private", bearer(await token()))).status, 200);
  assert.equal(source.seen.length, 1);
});

test("a KV value that is no key set is a miss", async (t) => {
  const { gate, source, get } = await scene(t, serve(jwk("a")));
  await (await gate.kv()).put(`jwks:${source.url}/jwks`, '{"version":1,"fetched_at":"x"');
  assert.deepEqual(await get("/private", await token()), [200, undefined]);
  assert.equal(source.seen.length, 1);
});

test("without the namespace every isolate fetches for itself", async (t) => {
  const { source, get } = await scene(t, serve(jwk("a")), {}, { kvNamespaces: [] });
  assert.deepEqual(await get("/private", await token()), [200, undefined]);
  assert.deepEqual(await get("/private", await token()), [200, undefined]);
  assert.equal(source.seen.length, 1);
});

test("a namespace that fails at every call is survived, and the source asked once", async (t) => {
  // What is bound under the name is a service without any of KV's methods: each call of one is rejected by the runtime.
  const options = { kvNamespaces: [], serviceBindings: { JWKS_CACHE: () => new Response("no", { status: 500 }) } };
  const { source, get, gate } = await scene(t, serve(jwk("a")), {}, options);
  for (let count = 0; count < 5; count += 1) assert.deepEqual(await get("/private", await token()), [200, undefined]);
  assert.equal(source.seen.length, 1);
  assert.match(gate.log(), /could not be kept in KV/);
});

test("an unknown kid right after a fetch causes no other", async (t) => {
  const { source, get } = await scene(t, serve(jwk("a")));
  for (let count = 0; count < 10; count += 1) assert.deepEqual(await get("/private", await token("b")), [401, "unknown_key"]);
  assert.equal(source.seen.length, 1);
});

test("an unknown kid against keys from KV asks the source once, and finds the new key", async (t) => {
  const rotated = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const { gate, source, get } = await scene(t, serve(jwk("a"), jwk("b", rotated)));
  const old = { version: 1, fetched_at: Date.now() - 60_000, max_age_ms: null, jwks: { keys: [jwk("a")] } };
  await (await gate.kv()).put(`jwks:${source.url}/jwks`, JSON.stringify(old));
  assert.deepEqual(await get("/private", await token("a")), [200, undefined]);
  assert.equal(source.seen.length, 0);
  assert.deepEqual(await get("/private", await token("b", rotated)), [200, undefined]);
  assert.deepEqual(await get("/private", await token("c", rotated)), [401, "unknown_key"]);
  assert.equal(source.seen.length, 1);
});

test("stale keys serve at once while one refresh runs behind", async (t) => {
  const { gate, source, get } = await scene(t, serve(jwk("a")), { jwks_cache_ttl_ms: 60_000 });
  const old = { version: 1, fetched_at: Date.now() - 120_000, max_age_ms: null, jwks: { keys: [jwk("a")] } };
  const kv = await gate.kv();
  await kv.put(`jwks:${source.url}/jwks`, JSON.stringify(old));
  const good = await token();
  const answers = await Promise.all(Array.from({ length: 10 }, () => get("/private", good)));
  assert.ok(answers.every(([status]) => status === 200));
  const deadline = Date.now() + 3000;
  const fetchedAt = async () => JSON.parse(await kv.get(`jwks:${source.url}/jwks`)).fetched_at;
  while ((await fetchedAt()) === old.fetched_at && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(Date.now() - (await fetchedAt()) < 10_000, "KV was not refreshed");
  assert.equal(source.seen.length, 1);
});

test("stale keys go on while the source is down", async (t) => {
  const { gate, source, get } = await scene(t, (response) => response.writeHead(500).end(), { jwks_cache_ttl_ms: 60_000 });
  const old = { version: 1, fetched_at: Date.now() - 120_000, max_age_ms: null, jwks: { keys: [jwk("a")] } };
  await (await gate.kv()).put(`jwks:${source.url}/jwks`, JSON.stringify(old));
  for (let count = 0; count < 5; count += 1) assert.deepEqual(await get("/private", await token()), [200, undefined]);
  assert.equal(source.seen.length, 1);
});

const failures = [
  ["status 500", (response) => response.writeHead(500).end("{}")],
  ["a redirect to nowhere", (response) => response.writeHead(302).end()],
  ["a redirect to another host", (response) => response.writeHead(302, { location: "http://localhost:1/jwks" }).end()],
  ["a redirect to another scheme", (response) => response.writeHead(301, { location: "data:application/json,{}" }).end()],
  ["HTML", (response) => response.setHeader("content-type", "text/html").end("<html></html>")],
  ["an empty set", (response) => response.end('{"keys":[]}')],
  ["more than half a megabyte", (response) => response.end(JSON.stringify({ keys: [jwk("a")], padding: "x".repeat(600_000) }))],
  ["a connection that ends in the middle", (response) => response.writeHead(200, { "content-length": "1000" }).write('{"keys":', () => response.destroy())],
  ["silence", () => {}],
  ["a body that stops coming", (response) => response.writeHead(200, { "content-length": "1000" }).write('{"keys":')],
];
for (const [name, answer] of failures) {
  test(`a source that answers with ${name} is a 503, and is left alone for a while`, async (t) => {
    const { source, get } = await scene(t, answer, { jwks_timeout_ms: 400 });
    const good = await token();
    for (let count = 0; count < 5; count += 1) assert.deepEqual(await get("/private", good), [503, "keys_unavailable"]);
    assert.equal(source.seen.length, 1);
    assert.deepEqual(await get("/perhaps", good), [200, undefined]);
    assert.deepEqual(await get("/open"), [200, undefined]);
    assert.deepEqual(await get("/private"), [401, "missing_token"]);
  });
}

test("redirects within the source's own origin are followed, four of them are not", async (t) => {
  const step = (response, request) => {
    const hops = Number(new URL(request.url, "http://h").searchParams.get("hops") ?? 0);
    if (hops === limit) return serve(jwk("a"))(response);
    return response.writeHead(302, { location: `?hops=${hops + 1}` }).end();
  };
  let limit = 3;
  const { source, get } = await scene(t, step);
  assert.deepEqual(await get("/private", await token()), [200, undefined]);
  assert.equal(source.seen.length, 4);
  limit = 4;
  const other = await scene(t, step);
  assert.deepEqual(await other.get("/private", await token()), [503, "keys_unavailable"]);
  assert.equal(other.source.seen.length, 4);
});

test("a hundred clients that leave during the fetch take nobody else's keys with it", async (t) => {
  const { gate, source } = await scene(t, (response) => setTimeout(() => serve(jwk("a"))(response), 200), { jwks_timeout_ms: 2000 });
  const good = await token();
  const leaving = Array.from({ length: 100 }, (_, count) => {
    const patience = new AbortController();
    setTimeout(() => patience.abort(), 20 + (count % 60));
    return assert.rejects(gate.request("/private", { ...bearer(good), signal: patience.signal }));
  });
  await Promise.all(leaving);
  const answers = await Promise.all(Array.from({ length: 20 }, () => gate.request("/private", bearer(good))));
  assert.ok(answers.every(({ status }) => status === 200));
  assert.ok(source.seen.length <= 2, `${source.seen.length} fetches`);
});

test("the cron trigger refreshes what would go stale, and leaves the rest alone", async (t) => {
  const { gate, source, get } = await scene(t, serve(jwk("a")), { jwks_cache_ttl_ms: 900_000 });
  const worker = await gate.mf.getWorker();
  const kv = await gate.kv();
  const key = `jwks:${source.url}/jwks`;
  const aged = (minutes) => JSON.stringify({ version: 1, fetched_at: Date.now() - minutes * 60_000, max_age_ms: null, jwks: { keys: [jwk("a")] } });
  for (const [minutes, fetches] of [[undefined, 1], [1, 1], [9, 1], [11, 2], [60, 3]]) {
    if (minutes !== undefined) await kv.put(key, aged(minutes));
    await worker.scheduled({ cron: "*/5 * * * *" });
    assert.equal(source.seen.length, fetches, `${minutes} minutes old`);
  }
  assert.ok(Date.now() - JSON.parse(await kv.get(key)).fetched_at < 10_000);
  assert.deepEqual(await get("/private", await token()), [200, undefined]);
  assert.equal(source.seen.length, 3);
});

test("the cron trigger survives a source that is down", async (t) => {
  const { gate, source, get } = await scene(t, (response) => response.writeHead(500).end());
  const worker = await gate.mf.getWorker();
  await worker.scheduled({ cron: "*/5 * * * *" });
  assert.equal(source.seen.length, 1);
  assert.deepEqual(await get("/private", await token()), [503, "keys_unavailable"]);
});

test("one odd key in a set is passed over, and the rest work", async (t) => {
  const odd = [{ kty: "oct", k: "AAAA", kid: "a" }, { kty: "RSA", kid: "a", n: "AQAB", e: "AQAB" }, { ...jwk("a"), use: "enc" }];
  const { get, gate } = await scene(t, serve(...odd, jwk("a")));
  assert.deepEqual(await get("/private", await token()), [200, undefined]);
  assert.match(gate.log(), /is not used: it is a shared secret/);
});
