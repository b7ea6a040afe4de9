// A real OpenID provider: its discovery document, its key set, its RS256 access tokens (RFC 9068) by client_credentials.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import Provider from "oidc-provider";
import { bearer, gateway, upstream } from "./harness.mjs";

const API = "https://api.example.com";
const KINDS = {
  RSA: ["rsa", { modulusLength: 2048 }],
  "P-256": ["ec", { namedCurve: "P-256" }],
  "P-384": ["ec", { namedCurve: "P-384" }],
  "P-521": ["ec", { namedCurve: "P-521" }],
  Ed25519: ["ed25519", {}],
};
/** A private key as a JWK without `alg`, which would bind it to one. */
const privateJwk = (kid, kind = "RSA") => ({ ...generateKeyPairSync(...KINDS[kind]).privateKey.export({ format: "jwk" }), kid, use: "sig" });

/** A provider on a port of its own; `fetched` lists the paths that were asked for. */
async function provider(keys, alg = "RS256", port = 0) {
  const server = createServer();
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const oidc = new Provider(issuer, {
    clients: [{ client_id: "machine", client_secret: "s3cret", grant_types: ["client_credentials"], redirect_uris: [], response_types: [], token_endpoint_auth_method: "client_secret_basic" }],
    scopes: ["read", "write"],
    jwks: { keys },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => API,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ scope: "read write", audience: API, accessTokenFormat: "jwt", accessTokenTTL: 300, jwt: { sign: { alg } } }),
      },
    },
    ttl: { ClientCredentials: 300 },
  });
  const fetched = [];
  const handle = oidc.callback();
  server.on("request", (request, response) => {
    fetched.push(request.url);
    handle(request, response);
  });
  return {
    issuer,
    fetched,
    port: server.address().port,
    async discover() {
      return (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
    },
    async token() {
      const { token_endpoint: endpoint } = await this.discover();
      const response = await fetch(endpoint, {
        method: "POST",
        headers: { authorization: `Basic ${Buffer.from("machine:s3cret").toString("base64")}`, "content-type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams({ grant_type: "client_credentials", scope: "read" }),
      });
      assert.equal(response.status, 200);
      return (await response.json()).access_token;
    },
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

describe("access tokens of a real OpenID provider", () => {
  let idp;
  let up;
  let gate;
  before(async () => {
    [idp, up] = await Promise.all([provider([privateJwk("first")]), upstream()]);
    const { issuer, jwks_uri: keys } = await idp.discover();
    gate = await gateway({
      servers: [{ alias: "up", url: up.url }],
      authorizer: {
        type: "jwt", jwks_url: keys, issuer, audience: API, token_types: ["at+jwt"], algorithms: ["RS256"],
        forward_claims: { sub: "x-user-id", client_id: "x-client-id", scope: "x-scope" },
      },
      paths: [{ method: "ANY", path: "/api/{.+}", auth: true, integration: { type: "http_proxy", server: "up" } }],
    });
  });
  after(async () => {
    await gate?.stop();
    await Promise.all([idp?.stop(), up?.stop()]);
  });

  test("are verified with its keys, and their claims reach the upstream", async () => {
    const response = await gate.request("/api/orders?x=1", { method: "POST", body: "hello", ...bearer(await idp.token()) });
    const got = await response.json();
    assert.equal(response.status, 200);
    assert.deepEqual([got.method, got.url, got.body], ["POST", "/orders?x=1", "hello"]);
    assert.deepEqual([got.headers["x-user-id"], got.headers["x-client-id"], got.headers["x-scope"]], ["machine", "machine", "read"]);
  });

  test("cost one fetch of the key set, which KV then holds", async () => {
    const tokens = await Promise.all([idp.token(), idp.token(), idp.token()]);
    const statuses = await Promise.all(tokens.map(async (token) => (await gate.request("/api/x", bearer(token))).status));
    assert.deepEqual(statuses, [200, 200, 200]);
    assert.equal(idp.fetched.filter((path) => path === "/jwks").length, 1);
    const kv = await gate.kv();
    const { keys: names } = await kv.list();
    assert.deepEqual(names.map(({ name }) => name), [`jwks:${idp.issuer}/jwks`]);
    const { jwks } = JSON.parse(await kv.get(names[0].name));
    assert.deepEqual(jwks.keys.map(({ kid, kty }) => [kid, kty]), [["first", "RSA"]]);
  });

  test("are refused when a byte of them changes", async () => {
    const [head, body, signature] = (await idp.token()).split(".");
    const claims = JSON.parse(Buffer.from(body, "base64url"));
    const forged = Buffer.from(JSON.stringify({ ...claims, scope: "read write" })).toString("base64url");
    const response = await gate.request("/api/x", bearer(`${head}.${forged}.${signature}`));
    assert.deepEqual([response.status, (await response.json()).code], [401, "invalid_signature"]);
  });
});

describe("an authorizer of type oidc", () => {
  const algorithms = [["RS256", "RSA"], ["PS256", "RSA"], ["PS384", "RSA"], ["ES256", "P-256"], ["ES384", "P-384"], ["ES512", "P-521"], ["EdDSA", "Ed25519"], ["Ed25519", "Ed25519"]];
  const config = (issuer, more = {}) => ({
    authorizer: { type: "oidc", issuer, audience: API, ...more },
    paths: [{ method: "GET", path: "/private", auth: true, response: { ok: true } }],
  });

  for (const [alg, kind] of algorithms) {
    test(`finds the keys by discovery, and takes ${alg}`, async (t) => {
      const idp = await provider([privateJwk("other", kind === "RSA" ? "P-256" : "RSA"), privateJwk("the-one", kind)], alg);
      const gate = await gateway(config(idp.issuer));
      t.after(() => Promise.all([gate.stop(), idp.stop()]));
      const token = await idp.token();
      assert.equal(JSON.parse(Buffer.from(token.split(".")[0], "base64url")).alg, alg);
      assert.equal((await gate.request("/private", bearer(token))).status, 200);
      const [head, body, signature] = token.split(".");
      const other = `${head}.${body}.${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`;
      assert.equal((await (await gate.request("/private", bearer(other))).json()).code, "invalid_signature");
      assert.deepEqual(idp.fetched.filter((path) => path !== "/token").slice(-2).sort(), ["/.well-known/openid-configuration", "/jwks"]);
    });
  }

  test("goes on with old keys while new ones come, when the provider rotates", async (t) => {
    const [first, second] = [privateJwk("first"), privateJwk("second", "P-256")];
    const before = await provider([first]);
    const oldToken = await before.token();
    await before.stop();
    const after = await provider([second, first], "ES256", before.port);
    const gate = await gateway(config(after.issuer));
    t.after(() => Promise.all([gate.stop(), after.stop()]));
    // What an isolate of before the rotation left in KV.
    const { d: _, p: __, q: ___, dp: ____, dq: _____, qi: ______, ...publicFirst } = first;
    const stored = { version: 1, fetched_at: Date.now() - 40_000, max_age_ms: null, jwks: { keys: [publicFirst] } };
    await (await gate.kv()).put(`jwks:${after.issuer}/.well-known/openid-configuration`, JSON.stringify(stored));
    assert.equal((await gate.request("/private", bearer(oldToken))).status, 200);
    const newToken = await after.token();
    const tokens = Array.from({ length: 20 }, (_, count) => (count % 2 ? oldToken : newToken));
    const statuses = await Promise.all(tokens.map(async (token) => (await gate.request("/private", bearer(token))).status));
    assert.ok(statuses.every((status) => status === 200), statuses.join());
    assert.equal(after.fetched.filter((path) => path === "/jwks").length, 1);
  });

  test("does not believe a document of another issuer", async (t) => {
    const idp = await provider([privateJwk("a")]);
    const gate = await gateway(config(`${idp.issuer.replace("127.0.0.1", "localhost")}`));
    t.after(() => Promise.all([gate.stop(), idp.stop()]));
    const response = await gate.request("/private", bearer(await idp.token()));
    assert.deepEqual([response.status, (await response.json()).code], [503, "keys_unavailable"]);
    assert.match(gate.log(), /OtherIssuer/);
  });
});
