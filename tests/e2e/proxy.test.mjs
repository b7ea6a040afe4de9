// What passes through the gateway, and what it does on the way.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import WebSocket, { WebSocketServer } from "ws";
import { SECRET, bearer, claims, gateway, hs, nobody, raw, upstream } from "./harness.mjs";

const CONFIG = {
  servers: [{ alias: "up", url: "$env.UP" }, { alias: "down", url: "$env.DOWN" }],
  authorizer: { type: "jwt", secret: "$env.SECRET", algorithm: "HS256", audience: "api-audience", forward_claims: { sub: "x-user-id" } },
  paths: [
    { method: "ANY", path: "/open/{.+}", integration: { type: "http_proxy", server: "up" } },
    { method: "ANY", path: "/closed/{.+}", auth: true, integration: { type: "http", server: "up" } },
    { method: "GET", path: "/users/{id}/posts", integration: { type: "http_proxy", server: "up" } },
    { method: "GET", path: "/slow", integration: { type: "http_proxy", server: "up", timeout_ms: 300 } },
    { method: "GET", path: "/down", integration: { type: "http_proxy", server: "down" } },
  ],
};

let gate;
let up;

const handlers = {
  "/cookies": (_, response) => response.writeHead(200, [["Set-Cookie", "a=1; Path=/"], ["Set-Cookie", "b=2, x; Path=/"]].flat()).end("ok"),
  "/redirect": (_, response) => response.writeHead(302, { location: "https://elsewhere.example/x" }).end(),
  "/empty": (_, response) => response.writeHead(204).end(),
  "/not-modified": (_, response) => response.writeHead(304, { etag: '"1"' }).end(),
  "/teapot": (_, response) => response.writeHead(418, "Short and stout", { "x-upstream": "1" }).end("tea"),
  "/sized": (request, response) => response.writeHead(200, { "content-length": "1234", etag: "x" }).end(request.method === "HEAD" ? undefined : "x".repeat(1234)),
  "/gzip": (_, response) => response.writeHead(200, { "content-encoding": "gzip", "content-type": "text/plain" }).end(gzipSync("zipped text")),
  ...Object.fromEntries(
    Object.entries({
      named: { connection: "keep-alive, x-private", "keep-alive": "timeout=9", "x-private": "1" },
      own: { connection: "keep-alive", "keep-alive": "timeout=9", te: "trailers", trailer: "x-end", upgrade: "h2c" },
      closed: { connection: "close", "keep-alive": "timeout=9" },
      spelt: { connection: "Keep-Alive", "Keep-Alive": "timeout=9" },
      challenged: { "proxy-authenticate": "Basic realm=up" },
      odd: { "proxy-connection": "keep-alive" },
    }).map(([name, headers]) => [`/hop/${name}`, (_, response) => response.writeHead(200, { ...headers, "x-public": "1" }).end("ok")]),
  ),
  "/never": () => {},
  "/slow": () => {},
  "/events": async (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (let count = 0; count < 5; count += 1) {
      response.write(`data: ${count}\n\n`);
      await sleep(100);
    }
    response.end();
  },
  "/bytes": async (request, response) => {
    let bytes = 0;
    for await (const chunk of request) bytes += chunk.length;
    response.end(JSON.stringify({ bytes, headers: request.headers }));
  },
};

before(async () => {
  up = await upstream((request, response) => {
    const handler = handlers[request.url.split("?")[0]];
    handler?.(request, response);
    return handler !== undefined;
  });
  const sockets = new WebSocketServer({ server: up.server });
  sockets.on("connection", (socket, request) => {
    socket.send(`hello ${request.headers["x-user-id"] ?? "nobody"}`);
    socket.on("message", (data, binary) => socket.send(data, { binary }));
  });
  gate = await gateway(CONFIG, { bindings: { UP: up.url, DOWN: await nobody(), SECRET } });
});
after(async () => {
  await gate?.stop();
  await up?.stop();
});

describe("bodies stream", () => {
  test("a body keeps its length on the way to the upstream", async () => {
    const response = await gate.request("/open/bytes", { method: "PUT", body: "x".repeat(1000) });
    const { headers, bytes } = await response.json();
    assert.deepEqual([headers["content-length"], headers["transfer-encoding"], bytes], ["1000", undefined, 1000]);
  });

  test("events arrive as they are sent, not all at the end", async () => {
    const response = await gate.request("/open/events");
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    const times = [];
    for await (const chunk of response.body) times.push([Date.now(), Buffer.from(chunk).toString()]);
    assert.equal(times.map(([, text]) => text).join(""), [0, 1, 2, 3, 4].map((count) => `data: ${count}\n\n`).join(""));
    assert.ok(times.at(-1)[0] - times[0][0] > 250, "all events came at once");
  });

  test("a WebSocket goes through, with the identity of its handshake", async () => {
    const url = new URL("/closed/socket", gate.url.href.replace("http", "ws"));
    const socket = new WebSocket(url, bearer(hs(claims({ sub: "ws-user" }))));
    const received = [];
    socket.on("message", (data) => received.push(data.toString()));
    await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
    socket.send("one");
    socket.send(Buffer.from("two"));
    while (received.length < 3) await sleep(10);
    socket.close();
    assert.deepEqual(received, ["hello ws-user", "one", "two"]);
  });

  test("a WebSocket without a token is refused at its handshake", async () => {
    const socket = new WebSocket(new URL("/closed/socket", gate.url.href.replace("http", "ws")));
    const status = await new Promise((resolve) => {
      socket.on("unexpected-response", (_, response) => resolve(response.statusCode)).on("error", () => {});
    });
    assert.equal(status, 401);
  });
});

describe("answers pass as they are", () => {
  test("two Set-Cookie stay two", async () => {
    const response = await gate.request("/open/cookies");
    assert.deepEqual(response.headers.getSetCookie(), ["a=1; Path=/", "b=2, x; Path=/"]);
  });

  test("redirects go to the client", async () => {
    const response = await gate.request("/open/redirect");
    assert.deepEqual([response.status, response.headers.get("location")], [302, "https://elsewhere.example/x"]);
  });

  test("204 and 304 have no body and are no error", async () => {
    assert.equal((await gate.request("/open/empty")).status, 204);
    const unchanged = await gate.request("/open/not-modified");
    assert.deepEqual([unchanged.status, unchanged.headers.get("etag")], [304, '"1"']);
  });

  test("any status, its text and its headers", async () => {
    const response = await gate.request("/open/teapot");
    assert.deepEqual([response.status, response.statusText, response.headers.get("x-upstream"), await response.text()], [418, "Short and stout", "1", "tea"]);
  });

  test("HEAD has the length that GET would have, and no body", async () => {
    const answer = await gate.raw("HEAD /open/sized HTTP/1.1\nHost: h");
    assert.match(answer, /content-length: 1234\r\n/i);
    assert.ok(answer.endsWith("\r\n\r\n"));
  });

  test("compressed bytes are left alone", async () => {
    const answer = await gate.raw("GET /open/gzip HTTP/1.1\nHost: h\nAccept-Encoding: gzip");
    assert.match(answer, /content-encoding: gzip/i);
    assert.ok(answer.includes(gzipSync("zipped text").toString("latin1")));
  });

  for (const name of ["named", "own", "closed", "spelt", "challenged", "odd"]) {
    test(`headers of the upstream's connection end at the gateway: ${name}`, async () => {
      const answer = await gate.raw(`GET /open/hop/${name} HTTP/1.1\nHost: h`);
      assert.match(answer, /\r\nx-public: 1\r\n/i);
      assert.match(answer, /\r\n\r\n(2\r\n)?ok/);
      assert.doesNotMatch(answer, /\r\n(keep-alive|te|trailer|upgrade|proxy-authenticate|proxy-connection|x-private):|timeout=9/i);
    });
  }
});

describe("requests pass as they are", () => {
  const echo = async (path, init) => (await gate.request(path, init)).json();

  test("the path without the literal prefix, the query byte for byte", async () => {
    for (const [path, expected] of [
      ["/open/a/b?x=1", "/a/b?x=1"],
      ["/open/a%20b?q=%7e&q=&=&%zz", "/a%20b?q=%7e&q=&=&%zz"],
      ["/open/a/", "/a/"],
      ["/open", "/"],
      ["/open/", "/"],
      ["/users/7/posts?y", "/users/7/posts?y"],
    ]) {
      assert.equal((await echo(path)).url, expected, path);
    }
  });

  test("unusual methods arrive as themselves", async () => {
    for (const method of ["PROPFIND", "PURGE", "REPORT", "PATCH", "DELETE"]) {
      const answer = await gate.raw(`${method} /open/x HTTP/1.1\nHost: h`);
      assert.match(answer, new RegExp(`"method":"${method}"`), method);
    }
  });

  test("a GET with a body arrives without it and without its length", async () => {
    const answer = await raw(gate.url, "GET /open/x HTTP/1.1\nHost: h\nContent-Length: 5", "hello");
    assert.match(answer, /"method":"GET"/);
    assert.doesNotMatch(answer, /content-length":"5"/);
  });

  test("headers of the client's connection end at the gateway", async () => {
    const answer = await gate.raw("GET /open/x HTTP/1.1\nHost: h\nTE: trailers\nKeep-Alive: 5\nProxy-Authorization: x\nX-Hop: 1\nX-Kept: 2\nConnection: X-Hop");
    for (const name of ["te", "keep-alive", "proxy-authorization", "x-hop"]) assert.ok(!answer.includes(`"${name}":`), name);
    assert.match(answer, /"x-kept":"2"/);
  });

  test("forwarding headers are the gateway's own", async () => {
    const { headers } = await echo("/open/x", { headers: { "x-forwarded-for": "6.6.6.6", "x-forwarded-proto": "gopher", "x-forwarded-host": "evil", "cf-connecting-ip": "9.9.9.9" } });
    assert.equal(headers["x-forwarded-host"], gate.url.host);
    assert.equal(headers["x-forwarded-proto"], "http");
    assert.equal(headers["x-forwarded-for"], "9.9.9.9");
    assert.equal(headers.host, new URL(up.url).host);
  });

  test("an identity header of the client's own is removed on open routes too", async () => {
    const { headers } = await echo("/open/x", { headers: { "x-user-id": "forged" } });
    assert.equal(headers["x-user-id"], undefined);
  });

  test("nor do its spellings with underscores, which are the same to many an upstream", async () => {
    const token = hs(claims({ sub: "real" }));
    const answer = await gate.raw(`GET /closed/x HTTP/1.1\nHost: h\nAuthorization: Bearer ${token}\nX_User_Id: forged\nx-user_id: forged\nx_other: kept`);
    assert.doesNotMatch(answer, /forged/);
    assert.match(answer, /"x_other":"kept"/);
    assert.match(answer, /"x-user-id":"real"/);
  });

  test("a claim beyond ASCII arrives as UTF-8", async () => {
    for (const sub of ["é", "名前", "😀"]) {
      const { headers } = await echo("/closed/x", bearer(hs(claims({ sub }))));
      assert.equal(Buffer.from(headers["x-user-id"], "latin1").toString(), sub);
    }
  });

  test("Connection cannot name an identity header away", async () => {
    const token = hs(claims({ sub: "real" }));
    const answer = await gate.raw(`GET /closed/x HTTP/1.1\nHost: h\nAuthorization: Bearer ${token}\nConnection: x-user-id`);
    assert.match(answer, /"x-user-id":"real"/);
  });
});

describe("upstreams that fail", () => {
  test("one that is down is a 502", async () => {
    const response = await gate.request("/down");
    assert.deepEqual([response.status, (await response.json()).code], [502, "upstream_unreachable"]);
  });

  test("one that is silent is a 504 after timeout_ms", async () => {
    const started = Date.now();
    const response = await gate.request("/slow");
    assert.deepEqual([response.status, (await response.json()).code], [504, "upstream_timeout"]);
    assert.ok(Date.now() - started < 5000);
  });

  test("a client that goes away in mid-request leaves the gateway well", async () => {
    for (let count = 0; count < 20; count += 1) {
      const patience = new AbortController();
      const request = gate.request("/open/never", { signal: patience.signal });
      setTimeout(() => patience.abort(), 20);
      await assert.rejects(request);
    }
    assert.equal((await gate.request("/open/x")).status, 200);
  });
});
