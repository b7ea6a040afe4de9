// Credentials in KV: consumers' tokens, API keys and passwords, added and removed without a deploy.
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, pbkdf2Sync } from "node:crypto";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { SignJWT } from "jose";
import { SECRET, bearer, claims, example, gateway, hs, now, upstream } from "./harness.mjs";

const TTL = 1000;
const TO = { type: "http_proxy", server: "app" };
const CONFIG = {
  servers: [{ alias: "app", url: "$env.APP_URL" }],
  authorizer: { type: "consumers", cache_ttl_ms: TTL },
  authorizers: [
    { name: "by-kid", type: "consumers", key_claim: "kid", cache_ttl_ms: TTL },
    { name: "tokens", type: "jwt", secret: "$env.SECRET", algorithm: "HS256", audience: "api-audience", issuer: "https://issuer.example.com", forward_claims: { sub: "x-user-id" } },
    { name: "keys", type: "api_key", binding: "CONSUMERS", cache_ttl_ms: TTL, keys: [{ sha256: createHash("sha256").update("fixed-key").digest("hex"), consumer: "fixed-app", consumer_id: "c-9" }] },
    { name: "query-keys", type: "api_key", token_from: [{ query: "key" }], forward_token: false, keys: [{ sha256: createHash("sha256").update("fixed-key").digest("hex"), consumer: "fixed-app" }] },
    { name: "people", type: "basic", binding: "CONSUMERS", cache_ttl_ms: TTL, forward_token: false, users: [{ username: "ann", password_hash: `sha256:${createHash("sha256").update("pässword").digest("hex")}` }] },
  ],
  paths: [
    { method: "ANY", path: "/app", auth: true, integration: TO },
    { method: "ANY", path: "/kid", auth: "by-kid", integration: TO },
    { method: "ANY", path: "/keys", auth: "keys", integration: TO },
    { method: "ANY", path: "/query", auth: "query-keys", integration: TO },
    { method: "ANY", path: "/people", auth: "people", integration: TO },
    { method: "ANY", path: "/any", auth: ["tokens", "default-consumers", "keys", "people"], integration: TO },
    { method: "ANY", path: "/perhaps", auth: { authorizer: ["keys", "people"], mode: "optional" }, integration: TO },
    { method: "ANY", path: "/open", integration: TO },
    { method: "ANY", path: "/ruled", auth: { authorizer: ["default-consumers", "keys"] }, authorization: { rules: [{ allow: "consumer.username == 'my-app'" }] }, response: { ok: true } },
  ],
};
CONFIG.authorizer.name = "default-consumers";

const consumer = { id: "c-1", username: "my-app" };
const hsCredential = (more) => ({ version: 1, consumer, algorithm: "HS256", secret: SECRET, ...more });

async function scene(t, options = {}, config = CONFIG) {
  const app = await upstream();
  const gate = await gateway(config, { bindings: { APP_URL: app.url, SECRET }, kvNamespaces: ["JWKS_CACHE", "CONSUMERS"], ...options });
  t.after(gate.stop);
  t.after(app.stop);
  const ask = async (path, init) => {
    const response = await gate.request(path, init);
    const body = await response.json();
    return { status: response.status, code: body.code, headers: body.headers, url: body.url, response };
  };
  const put = async (key, value) => (await gate.mf.getKVNamespace("CONSUMERS")).put(key, typeof value === "string" ? value : JSON.stringify(value));
  const remove = async (key) => (await gate.mf.getKVNamespace("CONSUMERS")).delete(key);
  return { gate, app, ask, put, remove };
}

const token = (iss = "iss-1", more = {}, options) => hs({ iss, ...more }, options);
const who = ({ headers }) => [headers["x-consumer-id"], headers["x-consumer-username"], headers["x-credential-identifier"]];

const text = example("consumers");
test("the example with consumers works as it is", { skip: text === undefined && "the folder of examples is not here" }, async (t) => {
  const { ask, put } = await scene(t, {}, text);
  await put("credential:iss-1", hsCredential());
  const answer = await ask("/app", bearer(token()));
  assert.equal(answer.status, 200);
  assert.deepEqual(who(answer), ["c-1", "my-app", "iss-1"]);
  assert.deepEqual([(await ask("/app")).code, (await ask("/app", bearer(token("iss-2")))).code], ["missing_token", "unknown_credential"]);
});

describe("a consumer's token", () => {
  test("is held against the one credential that it names, in every algorithm", async (t) => {
    const { ask, put } = await scene(t);
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const ed = generateKeyPairSync("ed25519");
    const pem = (pair) => pair.publicKey.export({ type: "spki", format: "pem" });
    const jwk = (pair) => ({ ...pair.publicKey.export({ format: "jwk" }), kid: "whatever" });
    const sign = (alg, key, iss) => new SignJWT({ iss }).setProtectedHeader({ alg }).sign(key);
    for (const [alg, more, make] of [
      ["HS256", { secret: SECRET }, (iss) => token(iss)],
      ["HS384", { secret: Buffer.from(SECRET).toString("base64"), secret_encoding: "base64" }, (iss) => token(iss, {}, { alg: "HS384" })],
      ["HS512", { secret: Buffer.from(SECRET).toString("hex"), secret_encoding: "hex" }, (iss) => token(iss, {}, { alg: "HS512" })],
      ["RS256", { public_key: pem(rsa) }, (iss) => sign("RS256", rsa.privateKey, iss)],
      ["PS384", { jwk: jwk(rsa) }, (iss) => sign("PS384", rsa.privateKey, iss)],
      ["ES256", { public_key: pem(ec) }, (iss) => sign("ES256", ec.privateKey, iss)],
      ["EdDSA", { jwk: jwk(ed) }, (iss) => sign("EdDSA", ed.privateKey, iss)],
    ]) {
      await put(`credential:${alg}`, { version: 1, consumer, algorithm: alg, ...more });
      const answer = await ask("/app", bearer(await make(alg)));
      assert.equal(answer.status, 200, alg);
      assert.deepEqual(who(answer), ["c-1", "my-app", alg]);
    }
  });

  test("is refused in another algorithm, under another key, and where it names none", async (t) => {
    const { ask, put } = await scene(t);
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const pem = rsa.publicKey.export({ type: "spki", format: "pem" });
    await put("credential:iss-1", hsCredential());
    await put("credential:rsa", { version: 1, consumer, algorithm: "RS256", public_key: pem });
    for (const [name, made, code] of [
      ["another algorithm", token("iss-1", {}, { alg: "HS512" }), "algorithm_not_allowed"],
      ["HS256 under the text of a public key", token("rsa", {}, { secret: pem }), "algorithm_not_allowed"],
      ["another secret", token("iss-1", {}, { secret: "x".repeat(64) }), "invalid_signature"],
      ["nobody's name", hs({ sub: "a" }), "missing_claim"],
      ["a name that is no text", hs({ iss: 7 }), "invalid_claim"],
      ["an unknown name", token("iss-9"), "unknown_credential"],
      ["a name out of another kind of record", token("../api-key:x"), "unknown_credential"],
      ["an end that is past", token("iss-1", { exp: now() - 60 }), "token_expired"],
      ["none for its algorithm", `${token("iss-1", {}, { header: { alg: "none" } }).split(".").slice(0, 2).join(".")}.`, "unsupported_algorithm"],
    ]) {
      const { status, code: got } = await ask("/app", bearer(made));
      assert.deepEqual([status, got], [401, code], name);
    }
  });

  test("may name its credential in the header", async (t) => {
    const { ask, put } = await scene(t);
    await put("credential:key-1", hsCredential());
    const named = hs({ sub: "x" }, { header: { kid: "key-1" } });
    assert.deepEqual(who(await ask("/kid", bearer(named))), ["c-1", "my-app", "key-1"]);
  });

  test("one consumer may have several credentials, each with its time", async (t) => {
    const { ask, put } = await scene(t);
    await put("credential:old", hsCredential({ not_after: now() + 3600 }));
    await put("credential:new", hsCredential({ secret: "y".repeat(64), not_before: now() - 5 }));
    await put("credential:past", hsCredential({ not_after: now() - 1 }));
    await put("credential:ahead", hsCredential({ not_before: now() + 60 }));
    assert.equal((await ask("/app", bearer(token("old")))).status, 200);
    assert.equal((await ask("/app", bearer(token("new", {}, { secret: "y".repeat(64) })))).status, 200);
    assert.equal((await ask("/app", bearer(token("past")))).code, "unknown_credential");
    assert.equal((await ask("/app", bearer(token("ahead")))).code, "unknown_credential");
  });

  test("ends for a token that was seen before, too, when the credential's time ends", async (t) => {
    const { ask, put } = await scene(t, {}, { ...CONFIG, authorizer: { type: "consumers", name: "default-consumers" } });
    await put("credential:short", hsCredential({ not_after: now() + 2 }));
    assert.equal((await ask("/app", bearer(token("short")))).status, 200);
    await sleep(2500);
    assert.equal((await ask("/app", bearer(token("short")))).code, "unknown_credential");
  });

  test("works on for no longer than the credential may be remembered, once that is removed", async (t) => {
    const { ask, put, remove } = await scene(t);
    await put("credential:iss-1", hsCredential());
    for (let count = 0; count < 3; count += 1) assert.equal((await ask("/app", bearer(token()))).status, 200);
    const removed = Date.now();
    await remove("credential:iss-1");
    let last = removed;
    while ((await ask("/app", bearer(token()))).status === 200) last = Date.now();
    assert.ok(last - removed <= TTL + 250, `it worked on for ${last - removed} ms`);
    assert.equal((await ask("/app", bearer(token()))).code, "unknown_credential");
  });

  test("works soon after its credential is added", async (t) => {
    const { ask, put } = await scene(t);
    assert.equal((await ask("/app", bearer(token("late")))).code, "unknown_credential");
    await put("credential:late", hsCredential());
    await sleep(TTL + 100);
    assert.equal((await ask("/app", bearer(token("late")))).status, 200);
  });

  test("is judged by the new secret once the old one is replaced", async (t) => {
    const { ask, put } = await scene(t);
    await put("credential:iss-1", hsCredential());
    assert.equal((await ask("/app", bearer(token()))).status, 200);
    await put("credential:iss-1", hsCredential({ secret: "z".repeat(64) }));
    await sleep(TTL + 100);
    assert.equal((await ask("/app", bearer(token()))).code, "invalid_signature");
  });

  test("whose credential cannot be read is refused, and the log says why", async (t) => {
    const { gate, ask, put } = await scene(t);
    for (const [name, value, why] of [
      ["no-json", "{", "it is no JSON object"],
      ["old-version", hsCredential({ version: 2 }), "its `version` is not 1"],
      ["no-consumer", { version: 1, algorithm: "HS256", secret: SECRET }, "it has no `consumer`"],
      ["odd-name", hsCredential({ consumer: { id: "a", username: "b\r\nx: y" } }), "its `consumer` has no `username` that can be a header"],
      ["no-algorithm", hsCredential({ algorithm: "none" }), "it has no known `algorithm`"],
      ["empty-secret", hsCredential({ secret: "" }), "its `secret`: the secret is empty"],
      ["a-public-key", hsCredential({ secret: generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }) }), "its `secret`: this is a public key"],
      ["another-encoding", hsCredential({ secret: "!", secret_encoding: "base64url" }), "its `secret` is not in its encoding"],
      ["two-keys", hsCredential({ public_key: "x" }), "an HS algorithm needs a `secret`"],
      ["a-secret-for-rs", hsCredential({ algorithm: "RS256" }), "it needs one of `public_key` and `jwk`"],
      ["odd-time", hsCredential({ not_after: "tomorrow" }), "its `not_after` is no time"],
    ]) {
      await put(`credential:${name}`, value);
      assert.equal((await ask("/app", bearer(token(name)))).code, "unknown_credential", name);
      assert.ok(gate.log().includes(why), `${name}: ${why}`);
    }
    assert.ok(!gate.log().includes(SECRET));
  });

  test("cannot be judged while KV is away: a 503, and KV is left alone for a while", async (t) => {
    const { gate, ask } = await scene(t, { kvNamespaces: ["JWKS_CACHE"], serviceBindings: { CONSUMERS: () => new Response("no", { status: 500 }) } });
    for (let count = 0; count < 3; count += 1) {
      const { status, code, response } = await ask("/app", bearer(token()));
      assert.deepEqual([status, code], [503, "keys_unavailable"]);
      assert.ok(Number(response.headers.get("retry-after")) >= 1);
    }
    assert.equal(gate.log().match(/records in CONSUMERS cannot be read/g).length, 1);
  });

  test("a namespace that is not bound refuses, and is said when the isolate starts", async (t) => {
    const { gate, ask } = await scene(t, { kvNamespaces: ["JWKS_CACHE"] });
    assert.equal((await ask("/app", bearer(token()))).code, "config_error");
    assert.equal((await ask("/open")).status, 200);
    assert.match(gate.log(), /no KV namespace is bound as `CONSUMERS`/);
  });
});

describe("identity headers of consumers", () => {
  test("are the gateway's own on every route", async (t) => {
    const { ask } = await scene(t);
    const forged = { "x-consumer-id": "1", "X-Consumer-Username": "root", "x-credential-identifier": "z", x_consumer_id: "1" };
    const answer = await ask("/open", { headers: forged });
    assert.deepEqual(who(answer), [undefined, undefined, undefined]);
    assert.equal(answer.headers.x_consumer_id, undefined);
    assert.deepEqual(who(await ask("/perhaps", { headers: forged })), [undefined, undefined, undefined]);
  });
});

describe("an API key", () => {
  test("is known by its hash, in the configuration or in KV", async (t) => {
    const { ask, put, remove } = await scene(t);
    const hash = createHash("sha256").update("kv-key").digest("hex");
    await put(`api-key:${hash}`, { version: 1, consumer });
    const withKey = (key) => ask("/keys", { headers: { "x-api-key": key } });
    assert.deepEqual(who(await withKey("fixed-key")).slice(0, 2), ["c-9", "fixed-app"]);
    assert.deepEqual(who(await withKey("kv-key")), ["c-1", "my-app", hash.slice(0, 12)]);
    assert.deepEqual([(await withKey("other")).code, (await withKey(hash)).code, (await ask("/keys")).code], ["unknown_credential", "unknown_credential", "missing_token"]);
    await remove(`api-key:${hash}`);
    await sleep(TTL + 100);
    assert.equal((await withKey("kv-key")).code, "unknown_credential");
  });

  test("may be in the query, and ends at the gateway where that is said", async (t) => {
    const { ask } = await scene(t);
    const answer = await ask("/query?a=1&key=fixed-key&b=2");
    assert.deepEqual([answer.status, answer.url], [200, "/query?a=1&b=2"]);
    assert.equal((await ask("/query?key=fixed-key&key=other")).code, "ambiguous_token");
  });
});

describe("a password", () => {
  const basic = (name, password) => ({ headers: { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}` } });

  test("is known by its hash, in the configuration or in KV", async (t) => {
    const { ask, put } = await scene(t);
    const salt = Buffer.from("0123456789abcdef");
    const derived = pbkdf2Sync("hunter:2", salt, 5000, 32, "sha256").toString("base64");
    await put("password:bob", { version: 1, consumer: { id: "c-2", username: "bob" }, password_hash: `pbkdf2-sha256:5000:${salt.toString("base64")}:${derived}` });
    const ann = await ask("/people", basic("ann", "pässword"));
    assert.deepEqual(who(ann), ["ann", "ann", "ann"]);
    assert.equal(ann.headers.authorization, undefined);
    for (let count = 0; count < 2; count += 1) assert.deepEqual(who(await ask("/people", basic("bob", "hunter:2"))), ["c-2", "bob", "bob"]);
    for (const [name, password] of [["ann", "password"], ["ann", ""], ["bob", "hunter2"], ["carl", "x"], ["", ""]]) {
      assert.equal((await ask("/people", basic(name, password))).code, "unknown_credential", `${name}:${password}`);
    }
  });

  test("is asked for as RFC 7617 has it", async (t) => {
    const { ask } = await scene(t);
    const { code, response } = await ask("/people");
    assert.equal(code, "missing_token");
    assert.equal(response.headers.get("www-authenticate"), 'Basic realm="portcullis", charset="UTF-8"');
    assert.equal((await ask("/people", { headers: { authorization: "Basic !!!" } })).code, "malformed_authorization");
    assert.equal((await ask("/people", { headers: { authorization: `Basic ${Buffer.from("no colon").toString("base64")}` } })).code, "malformed_authorization");
  });
});

describe("several kinds of credential on one path", () => {
  test("the first that fits says who is asking", async (t) => {
    const { ask, put } = await scene(t);
    await put("credential:iss-1", hsCredential());
    const basic = `Basic ${Buffer.from("ann:pässword").toString("base64")}`;
    const user = await ask("/any", bearer(hs()));
    assert.deepEqual([user.status, user.headers["x-user-id"], ...who(user)], [200, "user-1", undefined, undefined, undefined]);
    assert.deepEqual(who(await ask("/any", bearer(token()))).slice(1), ["my-app", "iss-1"]);
    assert.deepEqual(who(await ask("/any", { headers: { "x-api-key": "fixed-key" } })).slice(0, 2), ["c-9", "fixed-app"]);
    assert.deepEqual(who(await ask("/any", { headers: { authorization: basic } })).slice(1), ["ann", "ann"]);
    // A token that is refused, beside a key that fits.
    assert.deepEqual(who(await ask("/any", { headers: { authorization: "Bearer a.b.c", "x-api-key": "fixed-key" } })).slice(1, 2), ["fixed-app"]);
    assert.equal((await ask("/any", { headers: { authorization: "Bearer a.b.c", "x-api-key": "wrong" } })).code, "malformed_token");
    assert.equal((await ask("/any")).code, "missing_token");
  });

  test("a consumer that claims another authorizer's issuer is not believed", async (t) => {
    const idp = { name: "idp", type: "jwt", secret: "$env.SECRET", algorithm: "HS256", audience: "api", issuer: "https://idp.example" };
    const consumers = { name: "c", type: "consumers", key_claim: "kid", cache_ttl_ms: TTL };
    const rule = { allow: "jwt.iss == 'https://idp.example' && 'admin' in jwt.groups" };
    const paths = [{ method: "GET", path: "/admin", auth: ["idp", "c"], authorization: { rules: [rule] }, response: { ok: true } }];
    const { ask, put } = await scene(t, {}, { authorizers: [idp, consumers], paths });
    await put("credential:mine", hsCredential({ secret: "w".repeat(64) }));
    const mine = (iss) => bearer(hs({ iss, groups: ["admin"], aud: "api" }, { secret: "w".repeat(64), header: { kid: "mine" } }));
    assert.equal((await ask("/admin", mine("https://idp.example"))).status, 401);
    assert.equal((await ask("/admin", mine("https://elsewhere.example"))).code, "access_denied");
    const theirs = hs({ iss: "https://idp.example", groups: ["admin"], aud: "api", exp: now() + 60 });
    assert.equal((await ask("/admin", bearer(theirs))).status, 200);
  });

  test("optional means: none passes, a wrong one does not", async (t) => {
    const { ask } = await scene(t);
    assert.equal((await ask("/perhaps")).status, 200);
    assert.equal((await ask("/perhaps", { headers: { "x-api-key": "wrong" } })).code, "unknown_credential");
  });

  test("rules see the consumer of whichever it was", async (t) => {
    const { ask, put } = await scene(t);
    await put("credential:iss-1", hsCredential());
    assert.equal((await ask("/ruled", bearer(token()))).status, 200);
    assert.equal((await ask("/ruled", { headers: { "x-api-key": "fixed-key" } })).code, "access_denied");
  });
});
