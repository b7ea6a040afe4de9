// Ways round authentication through the request line, sent over raw sockets: an open catch-all stands beside a protected path, and the
// upstream notes which paths it was asked for.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { SECRET, gateway, upstream } from "./harness.mjs";

const CONFIG = {
  servers: [{ alias: "up", url: "$env.UP" }],
  authorizer: { type: "jwt", secret: "$env.SECRET", algorithm: "HS256", audience: "api-audience" },
  paths: [
    { method: "GET", path: "/admin", auth: true, integration: { type: "http_proxy", server: "up" } },
    { method: "ANY", path: "/admin/{.+}", auth: true, integration: { type: "http_proxy", server: "up" } },
    { method: "GET", path: "/v1/items:delete", auth: true, integration: { type: "http_proxy", server: "up" } },
    { method: "GET", path: "/v1/{name}", integration: { type: "http_proxy", server: "up" } },
    { method: "GET", path: "/users/@me", auth: true, integration: { type: "http_proxy", server: "up" } },
    { method: "ANY", path: "/{.+}", integration: { type: "http_proxy", server: "up" } },
  ],
};

let gate;
let up;
before(async () => {
  up = await upstream();
  gate = await gateway(CONFIG, { bindings: { UP: up.url, SECRET } });
});
after(async () => {
  await gate?.stop();
  await up?.stop();
});

/** Sends a request line as it is: status, code, and the path that the upstream saw. */
async function send(target, method = "GET") {
  const before = up.seen.length;
  const answer = await gate.raw(`${method} ${target} HTTP/1.1\nHost: h`);
  const status = Number(answer.match(/^HTTP\/1.1 (\d+)/)?.[1]);
  const code = answer.match(/"code":"(\w+)"/)?.[1];
  return { status, code, seen: up.seen.slice(before).map((request) => request.url) };
}

describe("a protected path is protected in every spelling", () => {
  const spellings = [
    "/admin", "/admin/", "//admin", "/admin//", "/%61dmin", "/%61%64%6d%69%6e", "/admin?x", "/admin/..%2fx", "/x/../admin", "/./admin",
    "/admin/.", "/%2e/admin", "/x/%2e%2e/admin", "/x/..;/admin", "/x/%2E%2E;a=b/admin", "/..;/admin", "/\\admin", "/x\\..\\admin",
    "/%5cadmin", "/%2fadmin", "/x%2f..%2fadmin", "/admin%00", "/admin%2f", "/admin#x", "/x#/../admin", "/admin/%2e%2e/admin",
    "/admin%c0%af", "/%ff",
    // Upstreams that decode before they look for their route, or cut parameters off, read these as protected paths.
    "/v1/items:delete", "/v1/items%3Adelete", "/v1/items%3adelete", "/users/@me", "/users/%40me", "/users/%40%6De", "/admin;x=1", "/admin;",
    "/admin%3Bx=1", "/;/admin", "/;x=1/admin", "/admin;x/y", "/v1/items:delete;x", "/users;a/@me;b=c",
  ];
  for (const target of spellings) {
    test(target, async () => {
      const { status, seen } = await send(target);
      assert.ok([400, 401].includes(status), `${status}`);
      assert.deepEqual(seen, []);
    });
  }

  for (const method of ["POST", "HEAD", "OPTIONS", "PUT", "PROPFIND", "get"]) {
    test(`with ${method}`, async () => {
      const { status, seen } = await send("/admin", method);
      assert.ok([401, 405, 501].includes(status), `${status}`);
      assert.deepEqual(seen, []);
    });
  }
});

describe("paths that two readers could take differently are refused", () => {
  for (const target of ["/a%2fb", "/a%5cb", "/a\\b", "/%2e%2e/a", "/a/%2e%2e", "/..;/a", "/.;/a", "/a%00", "/a%zz", "/a%", "/%ff", "/%c0%ae", "/a#b"]) {
    test(target, async () => {
      assert.deepEqual(await send(target), { status: 400, code: "invalid_path", seen: [] });
    });
  }

  test("a path of 8193 bytes", async () => {
    assert.deepEqual(await send(`/${"a".repeat(8192)}`), { status: 400, code: "path_too_long", seen: [] });
  });
});

describe("what was matched is what is forwarded", () => {
  for (const [target, expected] of [
    ["/a//b///c/", "/a/b/c/"],
    ["/%7Euser/%61", "/~user/a"],
    ["/caf\xc3\xa9", "/caf%C3%A9"],
    ["/caf%c3%a9", "/caf%C3%A9"],
    ["/a%20b|c^d", "/a%20b%7Cc%5Ed"],
    ["/a;b=c,d@e:f", "/a;b=c,d@e:f"],
    ["/v1/items;x=1", "/v1/items;x=1"],
    ["/v1/items%3Alist", "/v1/items%3Alist"],
    ["/Admin", "/Admin"],
    ["/administrator", "/administrator"],
    ["/...", "/..."],
    ["/%252e%252e/admin", "/%252e%252e/admin"],
  ]) {
    test(target, async () => {
      const { status, seen } = await send(target);
      assert.deepEqual([status, seen], [200, [expected]]);
    });
  }
});
