// What the operator reads: one line a request, and counts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { SECRET, bearer, claims, gateway, hs, nobody, now, upstream } from "./harness.mjs";

const config = (log) => ({
  servers: [{ alias: "up", url: "$env.UP" }, { alias: "down", url: "$env.DOWN" }],
  authorizer: { type: "jwt", secret: "$env.SECRET", algorithm: "HS256", audience: "api-audience" },
  paths: [
    { method: "GET", path: "/fixed/{id}", response: { ok: true } },
    { method: "GET", path: "/up/{.+}", auth: { mode: "permissive" }, integration: { type: "http_proxy", server: "up" } },
    { method: "GET", path: "/closed", auth: true, integration: { type: "http_proxy", server: "up" } },
    { method: "GET", path: "/down", integration: { type: "http_proxy", server: "down" } },
  ],
  ...(log === undefined ? {} : { log }),
});

async function scene(t, log, options = {}) {
  const up = await upstream((request, response) => {
    if (request.url === "/broken") return response.writeHead(500).end("{}");
    return false;
  });
  const gate = await gateway(config(log), { bindings: { UP: up.url, DOWN: await nobody(), SECRET }, ...options });
  t.after(gate.stop);
  t.after(up.stop);
  /** The lines that one request causes. */
  const lines = async (path, init) => {
    const before = gate.log().length;
    const response = await gate.request(path, init);
    await response.text();
    const wanted = () => gate.log().slice(before).split("\n").filter((line) => line.startsWith('{"time"'));
    for (let tries = 0; tries < 20 && wanted().length === 0; tries += 1) await sleep(10);
    return wanted().map((line) => JSON.parse(line));
  };
  return { gate, lines };
}

test("each request has one line: who, what, how it was known, and what the upstream did", async (t) => {
  const { lines } = await scene(t);
  const token = hs(claims({ sub: "user-1" }));
  const [verified, ...none] = await lines("/closed?secret=1", { headers: { authorization: `Bearer ${token}`, "x-request-id": "r-1" } });
  assert.deepEqual(none, []);
  const { time, upstream: told, ...rest } = verified;
  assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000, time);
  assert.deepEqual(rest, { id: "r-1", method: "GET", path: "/closed", route: "/closed", authorizer: "default", token: "verified", keys: "configuration", status: 200 });
  assert.equal(told.status, 200);
  assert.ok(told.ms >= 0 && told.attempts === 1);
  const [remembered] = await lines("/closed", bearer(token));
  assert.equal(remembered.token, "remembered");
});

test("a fixed answer has its line, with the pattern that matched", async (t) => {
  const { lines } = await scene(t);
  const [{ time, id, ...line }] = await lines("/fixed/7?x=1");
  assert.deepEqual(line, { method: "GET", path: "/fixed/7", route: "/fixed/{id}", status: 200 });
});

test("a preflight has its line", async (t) => {
  const gate = await gateway({ cors: { allow_origins: ["https://app.example"] }, paths: [{ method: "GET", path: "/a", response: {} }] });
  t.after(gate.stop);
  await gate.request("/a?b", { method: "OPTIONS", headers: { origin: "https://app.example", "access-control-request-method": "GET" } });
  await sleep(50);
  const { time, id, ...line } = JSON.parse(gate.log().split("\n").find((text) => text.startsWith('{"time"')));
  assert.deepEqual(line, { method: "OPTIONS", path: "/a", status: 204 });
});

test("a refusal has its code, and for the operator its reason", async (t) => {
  const { lines } = await scene(t);
  const [refused] = await lines("/closed", bearer(hs(claims({ aud: "other" }))));
  assert.deepEqual([refused.status, refused.code, refused.claim, refused.route], [401, "invalid_audience", "aud", "/closed"]);
  assert.equal(refused.reason, '`aud` is "other"');
  const [expired] = await lines("/closed", bearer(hs(claims({ exp: now() - 90 }))));
  assert.match(expired.reason, /^`exp` was 9\d s ago, and the skew is 30 s$/);
  const [unknown] = await lines("/nowhere");
  assert.deepEqual([unknown.status, unknown.code, unknown.route], [404, "not_found", undefined]);
  const [down] = await lines("/down");
  assert.deepEqual([down.status, down.code, down.route], [502, "upstream_unreachable", "/down"]);
  assert.match(down.reason, /127\.0\.0\.1/);
  const [ignored] = await lines("/up/x", bearer("a.b.c"));
  assert.deepEqual([ignored.status, ignored.ignored], [200, "malformed_token"]);
});

test("no line holds a token, a secret or a query", async (t) => {
  const { gate, lines } = await scene(t);
  const token = hs(claims({ sub: "someone@example.com" }));
  for (const path of ["/closed", "/up/x", "/down", "/nowhere", "/fixed/1"]) {
    await lines(`${path}?password=hunter2&access_token=${token}`, { headers: { authorization: `Bearer ${token}`, cookie: "session=s3cr3t" } });
  }
  for (const word of [token, token.split(".")[2], SECRET, "hunter2", "s3cr3t", "someone@example.com", "?"]) assert.ok(!gate.log().includes(word), word);
});

for (const [level, seen] of [
  ["off", []],
  ["error", [502, 500]],
  ["warn", [401, 502, 500]],
  ["info", [200, 401, 502, 500, 200]],
]) {
  test(`level ${level} tells of ${seen.join(", ") || "nothing"}`, async (t) => {
    const { gate } = await scene(t, { level });
    for (const path of ["/fixed/1", "/closed", "/down", "/up/broken", "/up/x"]) await (await gate.request(path)).text();
    await sleep(100);
    const lines = gate.log().split("\n").filter((line) => line.startsWith('{"time"'));
    assert.deepEqual(lines.map((line) => JSON.parse(line).status), seen);
  });
}

test("the subject is told plainly, hashed or not at all", async (t) => {
  const token = hs(claims({ sub: "user-1" }));
  for (const [subject, expected] of [["none", /^undefined$/], ["plain", /^user-1$/], ["hash", /^[0-9a-f]{32}$/]]) {
    const { lines } = await scene(t, { subject });
    const [line] = await lines("/closed", bearer(token));
    assert.match(String(line.subject), expected, subject);
    const [again] = await lines("/closed", bearer(token));
    assert.equal(again.subject, line.subject);
  }
});

test("Server-Timing is on answers where the configuration wants it", async (t) => {
  const { gate } = await scene(t, { server_timing: true });
  assert.match((await gate.request("/up/x")).headers.get("server-timing"), /^upstream;dur=\d+$/);
  const without = await scene(t);
  assert.equal((await without.gate.request("/up/x")).headers.get("server-timing"), null);
});

test("answers are counted by code through Analytics Engine where it is bound", async (t) => {
  // The dataset is a Worker here whose one method is called as the platform's is, and which writes down what it gets.
  const script = `
    import { WorkerEntrypoint } from "cloudflare:workers";
    export default class extends WorkerEntrypoint { writeDataPoint(point) { console.log("POINT " + JSON.stringify(point)); } }`;
  const { gate } = await scene(t, { analytics: "COUNTS" }, {
    serviceBindings: { COUNTS: "counts" },
    others: [{ name: "counts", modules: true, script, compatibilityDate: "2026-04-01" }],
  });
  for (const path of ["/fixed/1", "/closed", "/up/x", "/down"]) await (await gate.request(path)).text();
  await sleep(200);
  const points = gate.log().split("\n").filter((line) => line.startsWith("POINT ")).map((line) => JSON.parse(line.slice(6)));
  assert.deepEqual(points.map(({ indexes, blobs, doubles }) => [...indexes, ...blobs, doubles[0]]), [
    ["/fixed/{id}", "", "GET", "/fixed/{id}", 200],
    ["/closed", "missing_token", "GET", "/closed", 401],
    ["/up/{.+}", "", "GET", "/up/{.+}", 200],
    ["/down", "upstream_unreachable", "GET", "/down", 502],
  ]);
});
