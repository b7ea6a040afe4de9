// Requests that mean harm, and ones that mean nothing at all: never a 5xx of the gateway's own, never a hang, and the next request is served.
import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
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

describe("headers that would be taken for others", () => {
  // They cross into the wasm as lines, and one that is not there as a NUL.
  for (const [name, header] of [
    ["a folded line of the header before", "Authorization: Bearer x\n chosen-by-the-client"],
    ["a folded line with a name", "Connection: close\n x-request-id: chosen-by-the-client"],
  ]) {
    test(`${name} gives no other header its value`, async () => {
      const answer = await gate.raw(`GET /api/x HTTP/1.1\nHost: h\n${header}`);
      assert.equal(status(answer), 401, answer);
      assert.doesNotMatch(answer, /chosen-by-the-client/);
    });
  }

  for (const name of ["Authorization", "X-Request-Id", "Connection", "CF-Connecting-IP", "Upgrade"]) {
    test(`${name}: NUL is refused by the runtime`, async () => {
      assert.equal(status(await gate.raw(`GET /perhaps/x HTTP/1.1\nHost: h\n${name}: \0`)), 400);
    });
  }
});

describe("tokens of any shape", () => {
  const deep = (depth) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
  const payloads = [
    ["an empty payload", ""], ["null", "null"], ["a list", "[]"], ["a number", "1"], ["text", '"x"'], ["half an object", '{"exp":'],
    ["nested a thousand times", deep(1000)], ["a name twice", '{"exp":4e9,"exp":4e9}'], ["not UTF-8", Buffer.from([0x7b, 0xff, 0x7d])],
    ["a huge number", '{"exp":1e400}'], ["a lone surrogate", '{"sub":"\\ud800","exp":4e9}'],
    ["an object whose end is text", '{"exp":"4000000000"}', "invalid_claim"], ["an object whose end is below zero", '{"exp":-1}', "token_expired"],
    ["an object with NUL", '{"sub":"\\u0000","exp":4e9}', "invalid_signature"],
  ];
  for (const [name, payload, code = "malformed_token"] of payloads) {
    test(`a payload that is ${name} is a 401 ${code}`, async () => {
      const token = `${part({ alg: "HS256" })}.${Buffer.from(payload).toString("base64url")}.c2ln`;
      const response = await gate.request("/api/x", bearer(token));
      assert.deepEqual([response.status, (await response.json()).code], [401, code]);
    });
  }

  test("claims that would break a header line are left out, and said in the log alone", async () => {
    const got = await (await gate.request("/api/x", bearer(hs(claims({ sub: "a\r\nx-admin: 1", deep: { er: ["a", 1, true] } }))))).json();
    assert.equal(got.headers["x-user-id"], undefined);
    assert.equal(got.headers["x-admin"], undefined);
    assert.equal(got.headers["x-deep"], "a,1,true");
    assert.equal(JSON.parse(Buffer.from(got.headers["x-payload"], "base64url")).deep.er.length, 3);
    assert.match(gate.log(), /"leftOut":\["x-user-id"\]/);
  });
});

describe("a key of the token's own choosing", () => {
  const rsa = () => generateKeyPairSync("rsa", { modulusLength: 2048 });
  const jwk = (pair, kid) => ({ ...pair.publicKey.export({ format: "jwk" }), kid });
  const [issuers, own] = [rsa(), rsa()];
  const forge = (header, key = own.privateKey) => {
    const input = `${part({ alg: "RS256", kid: "a", ...header })}.${part(claims({ sub: "admin" }))}`;
    return `${input}.${sign("sha256", Buffer.from(input), key).toString("base64url")}`;
  };
  let guarded;
  let evil;
  before(async () => {
    evil = await upstream((request, response) => {
      response.end(JSON.stringify({ keys: [jwk(own, "a"), jwk(own, "evil")] }));
      return true;
    });
    guarded = await gateway({
      authorizer: { type: "jwt", jwks: { keys: [jwk(issuers, "a")] }, issuer: "https://issuer.example.com", audience: "api-audience" },
      paths: [{ method: "GET", path: "/private", auth: true, response: {} }],
    });
  });
  after(async () => {
    await guarded?.stop();
    await evil?.stop();
  });
  const answer = async (token) => {
    const response = await guarded.request("/private", bearer(token));
    return [response.status, (await response.json()).code];
  };

  test("passes where it is the issuer's", async () => {
    assert.deepEqual(await answer(forge({}, issuers.privateKey)), [200, undefined]);
  });

  for (const member of ["jku", "x5u", "jwk", "x5c"]) {
    test(`${member} is not used, and nothing is fetched for it`, async () => {
      const value = { jku: `${evil.url}/jwks`, x5u: `${evil.url}/cert.pem`, jwk: jwk(own, "a"), x5c: [own.publicKey.export({ type: "spki", format: "der" }).toString("base64")] }[member];
      assert.deepEqual(await answer(forge({ [member]: value })), [401, "invalid_signature"]);
      assert.deepEqual(await answer(forge({ [member]: value, kid: "evil" })), [401, "unknown_key"]);
      assert.deepEqual(await answer(forge({ [member]: value, kid: undefined })), [401, "invalid_signature"]);
      assert.deepEqual(await answer(forge({ [member]: value, kid: `${evil.url}/jwks` })), [401, "unknown_key"]);
      assert.equal(evil.seen.length, 0);
    });
  }

  for (const [name, type, format] of [["PEM", "spki", "pem"], ["DER", "spki", "der"], ["PKCS #1 PEM", "pkcs1", "pem"], ["PKCS #1 DER", "pkcs1", "der"]]) {
    test(`the issuer's public key as ${name} is no secret for HS256`, async () => {
      const secret = issuers.publicKey.export({ type, format });
      assert.deepEqual(await answer(hs(claims(), { secret, header: { kid: "a" } })), [401, "algorithm_not_allowed"]);
    });
  }
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
