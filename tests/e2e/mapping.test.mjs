// What mappings and rewrites make of a request and of its answer.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { SECRET, bearer, claims, gateway, hs, raw, upstream } from "./harness.mjs";

const TO = { type: "http_proxy", server: "up" };
const CONFIG = {
  servers: [{ alias: "up", url: "$env.UP/base" }],
  variables: { tier: "gold", "api-key": "$secret.API_KEY" },
  authorizer: { type: "jwt", secret: "$env.SECRET", algorithm: "HS256", audience: "api-audience", forward_claims: { sub: "x-user-id" } },
  paths: [
    {
      method: "ANY",
      path: "/mapped/{kind}/{.+}",
      auth: { mode: "optional" },
      integration: TO,
      variables: { tier: "silver" },
      mapping: {
        headers: {
          "x-literal": "as it is $$5",
          "x-tier": "$config.tier",
          authorization: "Bearer $config.api-key",
          "x-role": "$request.jwt.realm.roles",
          "x-kind": "$request.path.kind",
          "x-rest": "$request.path.rest",
          "x-from": "$request.query.from",
          "x-copy": "${request.header.x-source}-copy",
          "x-method": "$request.method",
          "x-trace": "$request.id",
          "x-gone": null,
          "x-namespaced": "${request.jwt.https://example.com/plan}",
        },
        query: { src: "$request.query.from", user: "$request.jwt.sub", dropped: null },
        response_headers: { "x-served-by": "portcullis for $request.path.kind", "x-internal": null, "x-request": "$request.id", "x-who": "$request.jwt.sub" },
      },
    },
    { method: "GET", path: "/v1/users/{id}", integration: { ...TO, rewrite: "/v2/people/$request.path.id" } },
    { method: "GET", path: "/files/{.+}", integration: { ...TO, rewrite: "/store/$request.path.rest" } },
    { method: "GET", path: "/mine", auth: true, integration: { ...TO, rewrite: "/users/$request.jwt.sub/home" } },
    { method: "GET", path: "/by", integration: { ...TO, rewrite: "/by/$request.query.name" } },
    { method: "GET", path: "/fixed", response: { ok: true }, response_headers: { "x-old": "1" }, mapping: { response_headers: { "x-old": null, "x-new": "$request.query.n" } } },
    { method: "GET", path: "/plain", integration: TO },
  ],
};

let gate;
let up;
before(async () => {
  up = await upstream((request, response) => {
    response.setHeader("x-internal", "secret");
    return false;
  });
  gate = await gateway(CONFIG, { bindings: { UP: up.url, SECRET, API_KEY: "k-123" } });
});
after(async () => {
  await gate?.stop();
  await up?.stop();
});

const got = async (path, init) => {
  const response = await gate.request(path, init);
  return { response, ...(await response.json()) };
};

describe("mapped headers", () => {
  test("are filled from literals, variables, secrets, path, query, headers, method, id and claims", async () => {
    const token = hs(claims({ realm: { roles: ["a", "b"] }, "https://example.com/plan": "pro" }));
    const { headers } = await got("/mapped/k%20d/a/b?from=x%20y", { headers: { authorization: `Bearer ${token}`, "x-source": "s", "x-gone": "1", "x-request-id": "req-1" } });
    assert.equal(headers["x-literal"], "as it is $5");
    assert.equal(headers["x-tier"], "silver");
    assert.equal(headers.authorization, "Bearer k-123");
    assert.equal(headers["x-role"], "a,b");
    assert.equal(headers["x-kind"], "k d");
    assert.equal(headers["x-rest"], "a/b");
    assert.equal(headers["x-from"], "x y");
    assert.equal(headers["x-copy"], "s-copy");
    assert.equal(headers["x-method"], "GET");
    assert.equal(headers["x-trace"], "req-1");
    assert.equal(headers["x-gone"], undefined);
    assert.equal(headers["x-namespaced"], "pro");
  });

  test("are removed where they have no value, the client's own copy too", async () => {
    const forged = { "x-role": "admin", "x-from": "forged", "x-copy": "forged", "x-namespaced": "forged", x_role: "admin" };
    const { headers } = await got("/mapped/k/", { headers: forged });
    for (const name of Object.keys(forged)) assert.equal(headers[name], undefined, name);
    assert.equal(headers["x-rest"], undefined);
  });

  test("that carry claims cannot be forged on other routes either", async () => {
    const { headers } = await got("/plain", { headers: { "x-role": "admin", X_Role: "admin", "x-from": "kept" } });
    assert.equal(headers["x-role"], undefined);
    assert.equal(headers.x_role, undefined);
    assert.equal(headers["x-from"], "kept");
  });

  test("cannot be broken out of by a value with control characters", async () => {
    const { headers } = await got("/mapped/k/?from=a%0d%0ax-admin:%201");
    assert.equal(headers["x-from"], undefined);
    assert.equal(headers["x-admin"], undefined);
    assert.match(gate.log(), /"leftOut":\["x-from"\]/);
  });
});

describe("a mapped query", () => {
  test("sets and removes its own parameters and leaves the others byte for byte", async () => {
    const { url } = await got("/mapped/k/x?a=%7e+b&from=1%262&dropped=1&src=old&%64ropped=2&z", bearer(hs(claims({ sub: "a&b=c" }))));
    assert.equal(url, "/base/k/x?a=%7e+b&from=1%262&z&src=1%262&user=a%26b%3Dc");
  });

  test("without values is the query without them", async () => {
    assert.equal((await got("/mapped/k/x?src=old&user=forged")).url, "/base/k/x");
  });
});

describe("mapped response headers", () => {
  test("are set and removed on an upstream's answer", async () => {
    const { response } = await got("/mapped/k/x", { headers: { "x-request-id": "req-2" } });
    assert.equal(response.headers.get("x-served-by"), "portcullis for k");
    assert.equal(response.headers.get("x-internal"), null);
    assert.equal(response.headers.get("x-request"), "req-2");
    assert.equal(response.headers.get("x-who"), null);
  });

  test("are set and removed on a fixed answer", async () => {
    const { response } = await got("/fixed?n=7");
    assert.equal(response.headers.get("x-old"), null);
    assert.equal(response.headers.get("x-new"), "7");
  });

  test("are not those of a refusal", async () => {
    const { response } = await got("/mapped/k/x", bearer("a.b.c"));
    assert.equal(response.status, 401);
    assert.equal(response.headers.get("x-served-by"), null);
  });
});

describe("a rewritten path", () => {
  for (const [name, path, expected] of [
    ["takes a parameter as it was matched", "/v1/users/a%20b?x=1", "/base/v2/people/a%20b?x=1"],
    ["takes the rest", "/files/a/b/", "/base/store/a/b/"],
    ["takes a rest that is empty", "/files", "/base/store/"],
    ["encodes what was no path", "/by?name=a%3Fb%23c", "/base/by/a%3Fb%23c?name=a%3Fb%23c"],
  ]) {
    test(name, async () => assert.equal((await got(path)).url, expected));
  }

  test("takes a claim", async () => assert.equal((await got("/mine", bearer(hs()))).url, "/base/users/user-1/home"));

  for (const [name, path] of [
    ["a value that is missing", "/by"],
    ["a value with a slash", "/by?name=a/b"],
    ["a value of two dots", "/by?name=.."],
    ["a value of two dots and a parameter", "/by?name=..;x"],
    ["a value with a backslash", "/by?name=..%5Cx"],
  ]) {
    test(`is refused with ${name}`, async () => {
      const { response, code } = await got(path);
      assert.deepEqual([response.status, code], [400, "invalid_request"]);
    });
  }

  test("is refused with a claim that would climb", async () => {
    for (const sub of ["..", "../admin", "a/../../b"]) {
      const { response, code } = await got("/mine", bearer(hs(claims({ sub }))));
      assert.deepEqual([response.status, code], [400, "invalid_request"], sub);
    }
  });
});

describe("the request's id", () => {
  test("is made, and the upstream gets it", async () => {
    const { headers } = await got("/plain");
    assert.match(headers["x-request-id"], /^[0-9a-f-]{36}$/);
  });

  test("is the client's own, where a log can hold it", async () => {
    assert.equal((await got("/plain", { headers: { "x-request-id": "abc-1" } })).headers["x-request-id"], "abc-1");
    const answer = await raw(gate.url, `GET /plain HTTP/1.1\nHost: h\nx-request-id: a"b\\c {}`);
    const { headers } = JSON.parse(answer.slice(answer.indexOf("{")).replace(/\r\n0\r\n\r\n$/, ""));
    assert.match(headers["x-request-id"], /^[0-9a-f-]{36}$/);
  });
});
