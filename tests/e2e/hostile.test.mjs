// Requests that mean harm, and ones that mean nothing at all: never a 5xx of the gateway's own, never a hang, and the next request is served.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { SECRET, bearer, gateway, hs, claims, part, upstream } from "./harness.mjs";

let gate;
let up;
before(async () => {
  up = await upstream();
  gate = await gateway({
    servers: [{ alias: "up", url: up.url }],
    cors: { allow_origins: ["https://a.example"] },
    authorizer: {
      type: "jwt", secret: "$env.SECRET", algorithm: "HS256", issuer: "https://issuer.example.com", audience: "api-audience",
      token_from: [{ header: "authorization" }, { cookie: "session" }, { query: "token" }], forward_token: false,
      forward_claims: { sub: "x-user-id", "deep.er": "x-deep" }, forward_payload_header: "x-payload",
    },
    paths: [
      { method: "ANY", path: "/api/{.+}", auth: true, integration: { type: "http_proxy", server: "up" } },
      { method: "GET", path: "/perhaps/{.+}", auth: { mode: "optional" }, integration: { type: "http_proxy", server: "up" } },
      { method: "GET", path: "/anyway/{.+}", auth: { mode: "permissive" }, integration: { type: "http_proxy", server: "up" } },
    ],
  }, { bindings: { SECRET } });
});
after(async () => {
  await gate?.stop();
  await up?.stop();
});

const status = (answer) => Number(answer.match(/^HTTP\/1.1 (\d+)/)?.[1]);

describe("headers of any bytes", () => {
  test("get a 4xx or pass, and never break the gateway", async () => {
    for (let count = 0; count < 300; count += 1) {
      const bytes = [...randomBytes(1 + (count % 60))].filter((byte) => ![0, 10, 13].includes(byte));
      const value = String.fromCharCode(...bytes);
      for (const name of ["Authorization", "Cookie", "Origin", "X-Request-Id", "Connection", "Upgrade", "CF-Connecting-IP"]) {
        const prefix = name === "Authorization" ? "Bearer " : name === "Cookie" ? "session=" : "";
        const answer = await gate.raw(`GET /api/x?token=${encodeURIComponent(value)} HTTP/1.1\nHost: h\n${name}: ${prefix}${value}`);
        assert.ok([400, 401].includes(status(answer)), `${name}: ${JSON.stringify(value)} gave ${answer}`);
      }
    }
    assert.equal((await gate.request("/api/x", bearer(hs()))).status, 200);
  });
});

describe("tokens of any shape", () => {
  const deep = (depth) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
  const payloads = [
    ["an empty payload", ""], ["null", "null"], ["a list", "[]"], ["a number", "1"], ["text", '"x"'], ["half an object", '{"exp":'],
    ["nested a thousand times", deep(1000)], ["a name twice", '{"exp":4e9,"exp":4e9}'], ["not UTF-8", Buffer.from([0x7b, 0xff, 0x7d])],
    ["a huge number", '{"exp":1e400}'], ["a lone surrogate", '{"sub":"\\ud800","exp":4e9}'], ["NUL", '{"sub":"\\u0000","exp":4e9}'],
  ];
  for (const [name, payload] of payloads) {
    test(`a payload that is ${name} is a 401`, async () => {
      const token = `${part({ alg: "HS256" })}.${Buffer.from(payload).toString("base64url")}.c2ln`;
      const response = await gate.request("/api/x", bearer(token));
      assert.equal(response.status, 401);
      await response.text();
    });
  }

  test("claims that would break a header line are left out, and said in the log alone", async () => {
    const got = await (await gate.request("/api/x", bearer(hs(claims({ sub: "a\r\nx-admin: 1", deep: { er: ["a", 1, true] } }))))).json();
    assert.equal(got.headers["x-user-id"], undefined);
    assert.equal(got.headers["x-admin"], undefined);
    assert.equal(got.headers["x-deep"], "a,1,true");
    assert.equal(JSON.parse(Buffer.from(got.headers["x-payload"], "base64url")).deep.er.length, 3);
    assert.match(gate.log(), /left out/);
  });
});

describe("the credential ends at the gateway where it is told to", () => {
  test("in a header, a cookie and a query, and everything else goes on", async () => {
    const token = hs();
    const headers = { authorization: `Bearer ${token}`, cookie: `a=1; session=${token}; b=2`, "x-kept": "1" };
    const got = await (await gate.request(`/api/x?a=1&token=${token}&b=%20`, { headers })).json();
    assert.equal(got.url, "/x?a=1&b=%20");
    assert.equal(got.headers.authorization, undefined);
    assert.equal(got.headers.cookie, "a=1; b=2");
    assert.equal(got.headers["x-kept"], "1");
  });

  test("two different ones are refused wherever they are", async () => {
    const response = await gate.request(`/api/x?token=${hs(claims({ sub: "b" }))}`, bearer(hs()));
    assert.deepEqual([response.status, (await response.json()).code], [401, "ambiguous_token"]);
  });
});

describe("modes", () => {
  const bad = () => hs(claims(), { secret: "wrong" });
  for (const [path, token, expected] of [
    ["/api/x", undefined, 401], ["/api/x", bad, 401], ["/perhaps/x", undefined, 200], ["/perhaps/x", bad, 401],
    ["/anyway/x", undefined, 200], ["/anyway/x", bad, 200], ["/perhaps/x", hs, 200], ["/anyway/x", hs, 200],
  ]) {
    test(`${path} with ${token === hs ? "a good" : token ? "a bad" : "no"} token: ${expected}, and a forged identity never`, async () => {
      const headers = { "x-user-id": "forged", "x-deep": "forged", "x-payload": "forged", x_user_id: "forged" };
      if (token) headers.authorization = `Bearer ${token()}`;
      const response = await gate.request(path, { headers });
      assert.equal(response.status, expected);
      const text = await response.text();
      assert.ok(!text.includes("forged"), text);
      if (response.status === 200) assert.equal(JSON.parse(text).headers["x-user-id"], token === hs ? "user-1" : undefined);
    });
  }
});
