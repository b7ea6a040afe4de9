// The files of ../shared/examples, unchanged, against the table of answers.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { SignJWT } from "jose";
import { AUDIENCE, ISSUER, SECRET, bearer, claims, example, gateway, hs, nobody, now, part, upstream } from "./harness.mjs";

const missing = ["hs256", "orders", "claims-to-headers"].filter((name) => example(name) === undefined);
if (missing.length > 0) console.warn(`The example configurations are not here, and their tests do not run: ${missing.join(", ")}`);

/** Asserts that `response` is the refusal `code`, in every part of its shape. */
async function refused(response, status, code, message) {
  const body = await response.json();
  assert.equal(response.status, status);
  assert.equal(body.code, code);
  assert.equal(body.statusCode, status);
  if (message) assert.equal(body.message, message);
  assert.equal(response.headers.get("content-type"), "application/json");
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.equal(response.headers.get("x-request-id"), body.requestId);
  assert.ok(body.requestId.length >= 16);
  const challenge = response.headers.get("www-authenticate");
  if (status !== 401) assert.equal(challenge, null);
  else if (code === "missing_token") assert.match(challenge, /^Bearer realm="[^"]+"$/);
  else assert.equal(challenge, `Bearer realm="portcullis", error="invalid_token", error_description="${body.message}"`);
  return body;
}

describe("hs256.json", { skip: missing.includes("hs256") }, () => {
  let gate;
  before(async () => {
    gate = await gateway(example("hs256"), { bindings: { JWT_SECRET: SECRET } });
  });
  after(() => gate?.stop());

  test("a good token gets the fixed answer", async () => {
    const response = await gate.request("/private", bearer(hs()));
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "application/json");
    assert.equal(await response.text(), '{"private":true}');
  });

  const good = [
    ["a scheme in other case", { authorization: `bEARER ${hs()}` }],
    ["an audience in a list", { authorization: `Bearer ${hs(claims({ aud: ["other", AUDIENCE] }))}` }],
    ["an end that is past within the skew", { authorization: `Bearer ${hs(claims({ exp: now() - 20 }))}` }],
    ["the same token twice", { authorization: `Bearer ${hs(claims({ exp: 4e9 }))}, Bearer ${hs(claims({ exp: 4e9 }))}` }],
  ];
  for (const [name, headers] of good) {
    test(`passes: ${name}`, async () => {
      assert.equal((await gate.request("/private", { headers })).status, 200);
    });
  }

  const [head, body, signature] = hs().split(".");
  const bad = [
    ["no token", undefined, "missing_token", "Missing bearer token"],
    ["a token without its scheme", hs(), "malformed_authorization"],
    ["another scheme", "Basic dXNlcjpwYXNz", "malformed_authorization"],
    ["a scheme alone", "Bearer", "malformed_authorization"],
    ["three words", `Bearer ${hs()} more`, "malformed_authorization"],
    ["two different tokens", `Bearer ${hs()}, Bearer ${hs(claims({ sub: "b" }))}`, "ambiguous_token"],
    ["a token of 8193 bytes", `Bearer ${"a".repeat(8193)}`, "token_too_large"],
    ["no token at all", "Bearer abc", "malformed_token"],
    ["two parts", `Bearer ${head}.${body}`, "malformed_token"],
    ["four parts", `Bearer ${head}.${body}.${signature}.x`, "malformed_token"],
    ["padding", `Bearer ${head}.${body}.${signature}=`, "malformed_token"],
    ["alg none", `Bearer ${part({ alg: "none" })}.${body}.`, "unsupported_algorithm"],
    ["alg None", `Bearer ${part({ alg: "None" })}.${body}.`, "unsupported_algorithm"],
    ["crit", `Bearer ${hs(claims(), { header: { crit: ["b64"], b64: false } })}`, "malformed_token"],
    ["HS384 where HS256 is allowed", `Bearer ${hs(claims(), { alg: "HS384" })}`, "algorithm_not_allowed"],
    ["another secret", `Bearer ${hs(claims(), { secret: "other" })}`, "invalid_signature", "Invalid signature"],
    ["a truncated signature", `Bearer ${head}.${body}.${signature.slice(0, 20)}`, "invalid_signature"],
    ["no signature", `Bearer ${head}.${body}.`, "invalid_signature"],
    ["another payload", `Bearer ${head}.${part(claims({ sub: "admin" }))}.${signature}`, "invalid_signature"],
    ["an end that is past", `Bearer ${hs(claims({ exp: now() - 31 }))}`, "token_expired", "Token expired"],
    ["a start that is ahead", `Bearer ${hs(claims({ nbf: now() + 120 }))}`, "token_not_yet_valid"],
    ["an issue that is ahead", `Bearer ${hs(claims({ iat: now() + 120 }))}`, "token_not_yet_valid"],
    ["no end", `Bearer ${hs({ iss: ISSUER, aud: AUDIENCE })}`, "missing_claim", undefined, "exp"],
    ["an end as text", `Bearer ${hs(claims({ exp: "4000000000" }))}`, "invalid_claim", undefined, "exp"],
    ["another issuer", `Bearer ${hs(claims({ iss: `${ISSUER}/` }))}`, "invalid_issuer", "Invalid issuer"],
    ["another audience", `Bearer ${hs(claims({ aud: "other" }))}`, "invalid_audience", "Invalid audience"],
    ["an empty audience", `Bearer ${hs(claims({ aud: [] }))}`, "invalid_audience"],
  ];
  for (const [name, authorization, code, message, claim] of bad) {
    test(`401 ${code}: ${name}`, async () => {
      const response = await gate.request("/private", authorization ? { headers: { authorization } } : {});
      const { details } = await refused(response, 401, code, message);
      if (claim) assert.equal(details.claim, claim);
    });
  }

  test("a token with a repeated claim is malformed", async () => {
    const input = `${part({ alg: "HS256" })}.${part(`{"iss":"${ISSUER}","aud":"${AUDIENCE}","exp":${now() + 60},"exp":4e9}`)}`;
    await refused(await gate.request("/private", bearer(`${input}.c2ln`)), 401, "malformed_token");
  });

  test("HEAD comes with GET and has no body", async () => {
    const response = await gate.request("/private", { method: "HEAD", ...bearer(hs()) });
    assert.equal(response.status, 200);
    assert.equal(await response.text(), "");
  });

  test("other paths are 404, other methods 405 with Allow", async () => {
    await refused(await gate.request("/other", bearer(hs())), 404, "not_found");
    const response = await gate.request("/private", { method: "POST", ...bearer(hs()) });
    assert.equal(response.headers.get("allow"), "GET, HEAD");
    await refused(response, 405, "method_not_allowed");
  });

  test("a trailing slash and runs of slashes reach the same route", async () => {
    for (const path of ["/private/", "//private", "/%70rivate"]) {
      await refused(await gate.request(gate.url.origin + path), 401, "missing_token");
      assert.equal((await gate.request(gate.url.origin + path, bearer(hs()))).status, 200, path);
    }
  });

  test("the client's request id is taken where a log can hold it", async () => {
    const taken = await gate.request("/private", { headers: { "x-request-id": "abc-123" } });
    assert.equal(taken.headers.get("x-request-id"), "abc-123");
    const made = await gate.request("/private", { headers: { "x-request-id": '{"a": 1}' } });
    assert.match(made.headers.get("x-request-id"), /^[0-9a-f-]{36}$/);
  });
});

describe("hs256.json without its secret", { skip: missing.includes("hs256") }, () => {
  test("a protected route answers 500 config_error, and tells the log alone which name is not bound", async (t) => {
    const gate = await gateway(example("hs256"));
    t.after(gate.stop);
    for (const init of [{}, bearer(hs()), bearer(hs(claims(), { secret: "" }))]) {
      const body = await refused(await gate.request("/private", init), 500, "config_error");
      assert.ok(!JSON.stringify(body).includes("JWT_SECRET"));
    }
    assert.match(gate.log(), /JWT_SECRET/);
  });
});

describe("orders.json", { skip: missing.includes("orders") }, () => {
  let gate;
  let orders;
  before(async () => {
    orders = await upstream();
    gate = await gateway(example("orders"), { bindings: { JWT_SECRET: SECRET, ORDERS_URL: `${orders.url}/v2` } });
  });
  after(async () => {
    await gate?.stop();
    await orders?.stop();
  });

  test("the open route needs no token", async () => {
    const response = await gate.request("/health");
    assert.deepEqual([response.status, await response.text()], [200, '{"status":"ok"}']);
  });

  test("the protected route refuses before the upstream hears of it", async () => {
    await refused(await gate.request("/private/orders"), 401, "missing_token");
    assert.equal(orders.seen.length, 0);
  });

  test("a good token reaches the upstream, under its base path with the query as sent", async () => {
    const token = hs();
    const response = await gate.request("/private/orders?a=%20b&a=c&d", bearer(token));
    const got = await response.json();
    assert.equal(response.status, 200);
    assert.equal(got.url, "/v2/private/orders?a=%20b&a=c&d");
    assert.equal(got.headers.authorization, `Bearer ${token}`);
  });

  test("an upstream that is down is a 502 in the common shape", async (t) => {
    const gate = await gateway(example("orders"), { bindings: { JWT_SECRET: SECRET, ORDERS_URL: await nobody() } });
    t.after(gate.stop);
    const body = await refused(await gate.request("/private/orders", bearer(hs())), 502, "upstream_unreachable");
    assert.ok(!JSON.stringify(body).includes("127.0.0.1"));
    assert.equal((await gate.request("/health")).status, 200);
  });

  test("a variable that is not bound spoils the routes that need it alone", async (t) => {
    const gate = await gateway(example("orders"), { bindings: { JWT_SECRET: SECRET } });
    t.after(gate.stop);
    await refused(await gate.request("/private/orders", bearer(hs())), 500, "config_error");
    assert.equal((await gate.request("/health")).status, 200);
  });
});

describe("claims-to-headers.json", { skip: missing.includes("claims-to-headers") }, () => {
  const API = "https://api.yourapp.com";
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: "key-1", use: "sig", alg: "RS256" };
  let gate;
  let users;
  let provider;

  before(async () => {
    users = await upstream();
    provider = await upstream((request, response) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ keys: [jwk] }));
      return true;
    });
    const bindings = { JWT_SECRET: SECRET, USERS_URL: users.url, JWKS_URL: `${provider.url}/jwks`, ISSUER };
    gate = await gateway(example("claims-to-headers"), { bindings });
  });
  after(async () => {
    await gate?.stop();
    await users?.stop();
    await provider?.stop();
  });

  const rs = (payload = {}, header = {}) =>
    new SignJWT({ iss: ISSUER, aud: API, sub: "rs-user", exp: now() + 300, ...payload })
      .setProtectedHeader({ alg: "RS256", kid: "key-1", ...header })
      .sign(privateKey);

  test("claims of a shared-secret token become headers, and the client's copies are gone", async () => {
    const token = hs({ sub: "u-1", email: "a@example.com", exp: now() + 60 });
    const headers = { authorization: `Bearer ${token}`, "x-user-id": "forged", "X-User-Role": "admin", "x-kept": "yes" };
    const got = await (await gate.request("/api/internal/users/5/x?y=1", { headers })).json();
    assert.equal(got.url, "/5/x?y=1");
    assert.equal(got.headers["x-user-id"], "u-1");
    assert.equal(got.headers["x-user-email"], "a@example.com");
    assert.equal(got.headers["x-user-role"], undefined);
    assert.equal(got.headers["x-kept"], "yes");
  });

  test("an RS256 token is held against the fetched keys", async () => {
    const got = await (await gate.request("/api/users/me", bearer(await rs({ email: "rs@example.com" })))).json();
    assert.equal(got.url, "/me");
    assert.equal(got.headers["x-user-id"], "rs-user");
    assert.equal(got.headers["x-user-email"], "rs@example.com");
  });

  test("keys are fetched once, and kept in KV", async () => {
    await Promise.all(Array.from({ length: 20 }, async () => gate.request("/api/users/me", bearer(await rs()))));
    assert.equal(provider.seen.length, 1);
    const stored = JSON.parse(await (await gate.kv()).get(`jwks:${provider.url}/jwks`));
    assert.equal(stored.jwks.keys[0].n, jwk.n);
    assert.ok(Math.abs(stored.fetched_at - Date.now()) < 60_000);
  });

  const bad = [
    ["a shared-secret token at the provider's route", "/api/users/me", () => hs({ iss: ISSUER, aud: API, exp: now() + 60 }), "algorithm_not_allowed"],
    ["HS256 signed with the public key's text", "/api/users/me", () => hs({ iss: ISSUER, aud: API, exp: now() + 60 }, { secret: publicKey.export({ type: "spki", format: "pem" }), header: { kid: "key-1" } }), "algorithm_not_allowed"],
    ["another kid", "/api/users/me", () => rs({}, { kid: "key-2" }), "unknown_key"],
    ["another issuer", "/api/users/me", () => rs({ iss: "https://evil.example" }), "invalid_issuer"],
    ["another audience", "/api/users/me", () => rs({ aud: "x" }), "invalid_audience"],
    ["a past end", "/api/users/me", () => rs({ exp: now() - 60 }), "token_expired"],
    ["a provider's token at the shared secret's route", "/api/internal/users/1", () => rs(), "algorithm_not_allowed"],
  ];
  for (const [name, path, token, code] of bad) {
    test(`401 ${code}: ${name}`, async () => {
      await refused(await gate.request(path, bearer(await token())), 401, code);
    });
  }

  test("where either authorizer will do, each kind of token passes as itself", async () => {
    const first = await (await gate.request("/api/either/a", bearer(await rs()))).json();
    assert.equal(first.headers["x-user-id"], "rs-user");
    const second = await (await gate.request("/api/either/a", bearer(hs({ sub: "hs-user", role: "r", exp: now() + 60 })))).json();
    assert.deepEqual([second.headers["x-user-id"], second.headers["x-user-role"]], ["hs-user", "r"]);
    await refused(await gate.request("/api/either/a", bearer(hs(claims(), { secret: "x" }))), 401, "invalid_signature");
    await refused(await gate.request("/api/either/a"), 401, "missing_token");
  });

  test("preflights are answered before authentication, for paths that exist", async () => {
    const preflight = (path, origin) =>
      gate.request(path, { method: "OPTIONS", headers: { origin, "access-control-request-method": "DELETE", "access-control-request-headers": "authorization" } });
    const good = await preflight("/api/users/1", "https://app.example.com");
    assert.equal(good.status, 204);
    assert.equal(good.headers.get("access-control-allow-origin"), "https://app.example.com");
    assert.equal(good.headers.get("access-control-allow-headers"), "authorization");
    assert.equal(good.headers.get("access-control-max-age"), "600");
    assert.match(good.headers.get("access-control-allow-methods"), /DELETE/);
    assert.equal(good.headers.get("vary"), "Origin");
    const evil = await preflight("/api/users/1", "https://evil.example.com");
    assert.equal(evil.headers.get("access-control-allow-origin"), null);
    assert.equal(evil.headers.get("vary"), "Origin");
    await refused(await preflight("/nowhere", "https://app.example.com"), 404, "not_found");
  });

  test("answers and refusals carry the cross-origin headers", async () => {
    const origin = "https://app.example.com";
    const refusal = await gate.request("/api/users/1", { headers: { origin } });
    assert.equal(refusal.status, 401);
    assert.equal(refusal.headers.get("access-control-allow-origin"), origin);
    const answer = await gate.request("/api/users/1", { headers: { origin, authorization: `Bearer ${await rs()}` } });
    assert.equal(answer.headers.get("access-control-allow-origin"), origin);
  });

  test("a provider that is down is a 503, and other routes go on", async (t) => {
    const bindings = { JWT_SECRET: SECRET, USERS_URL: users.url, JWKS_URL: `${await nobody()}/jwks`, ISSUER };
    const gate = await gateway(example("claims-to-headers"), { bindings });
    t.after(gate.stop);
    const response = await gate.request("/api/users/1", bearer(await rs()));
    assert.ok(Number(response.headers.get("retry-after")) >= 1);
    await refused(response, 503, "keys_unavailable");
    assert.equal((await gate.request("/api/internal/users/1", bearer(hs()))).status, 200);
    assert.equal((await gate.request("/api/either/1", bearer(hs({ exp: now() + 60 })))).status, 200);
    await refused(await gate.request("/api/users/1"), 401, "missing_token");
  });
});
