// Rate limits on Cloudflare's binding as workerd runs it, and limits on size.
import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { test } from "node:test";
import { SECRET, bearer, claims, gateway, hs, upstream } from "./harness.mjs";

const limited = (path, by, more) => ({ method: "ANY", path, rate_limit: { binding: "RL", by, period_seconds: 10 }, response: { ok: true }, ...more });
const CONFIG = {
  authorizer: { type: "jwt", secret: "$env.SECRET", algorithm: "HS256", audience: "api-audience" },
  cors: { allow_origins: ["https://app.example"] },
  paths: [
    limited("/ip", "ip"),
    limited("/guess", ["ip", "route"], { auth: true }),
    limited("/user", ["user", "route"], { auth: { mode: "optional" } }),
    limited("/claim", ["claim:org.id", "route"], { auth: true }),
    limited("/header", ["header:x-key", "route"]),
    limited("/path/{x}", ["path"]),
    limited("/both", undefined, { auth: true, rate_limit: [{ binding: "RL", by: ["ip", "path"] }, { binding: "SMALL", by: ["user", "path"] }] }),
    limited("/unbound", "ip", { rate_limit: { binding: "NOBODY", by: "ip" } }),
    { method: "GET", path: "/free", response: { ok: true } },
  ],
};

async function scene(t, config = CONFIG, options = {}) {
  const gate = await gateway(config, {
    bindings: { SECRET },
    ratelimits: { RL: { simple: { limit: 3, period: 60 } }, SMALL: { simple: { limit: 1, period: 60 } } },
    ...options,
  });
  t.after(gate.stop);
  const ask = async (path, headers = {}) => {
    const response = await gate.request(path, { headers });
    return { status: response.status, code: (await response.json()).code, headers: response.headers };
  };
  const statuses = async (times, ...question) => {
    const list = [];
    for (let count = 0; count < times; count += 1) list.push((await ask(...question)).status);
    return list.join(" ");
  };
  return { gate, ask, statuses };
}

const from = (ip) => ({ "cf-connecting-ip": ip });
const as = (sub, more) => ({ authorization: `Bearer ${hs(claims({ sub, ...more }))}` });

test("one address is limited, another is not", async (t) => {
  const { ask, statuses } = await scene(t);
  assert.equal(await statuses(5, "/ip", from("192.0.2.1")), "200 200 200 429 429");
  assert.equal((await ask("/ip", from("192.0.2.2"))).status, 200);
  assert.equal(await statuses(4, "/free", from("192.0.2.1")), "200 200 200 200");
});

test("an IPv6 client has its whole network counted", async (t) => {
  const { statuses } = await scene(t);
  assert.equal(await statuses(3, "/ip", from("2001:db8:1:2::1")), "200 200 200");
  assert.equal(await statuses(1, "/ip", from("2001:db8:1:2:3::9")), "429");
});

test("a refusal says when to come again, in the shape of all refusals", async (t) => {
  const { ask, statuses } = await scene(t);
  await statuses(3, "/ip", from("192.0.2.1"));
  const { status, code, headers } = await ask("/ip", { ...from("192.0.2.1"), origin: "https://app.example" });
  assert.deepEqual([status, code, headers.get("retry-after")], [429, "rate_limited", "10"]);
  assert.equal(headers.get("cache-control"), "no-store");
  assert.equal(headers.get("access-control-allow-origin"), "https://app.example");
  assert.ok(headers.get("x-request-id"));
});

test("guesses are limited before anything is said of the token", async (t) => {
  const { statuses } = await scene(t);
  const guess = { ...from("192.0.2.1"), authorization: "Bearer a.b.c" };
  assert.equal(await statuses(5, "/guess", guess), "401 401 401 429 429");
  assert.equal(await statuses(1, "/guess", { ...from("192.0.2.1"), ...as("user-1") }), "429");
});

test("users are counted one by one, whatever their address, and nobody by address", async (t) => {
  const { statuses } = await scene(t);
  assert.equal(await statuses(4, "/user", { ...as("a"), ...from("192.0.2.1") }), "200 200 200 429");
  assert.equal(await statuses(1, "/user", { ...as("a"), ...from("192.0.2.9") }), "429");
  assert.equal(await statuses(3, "/user", { ...as("b"), ...from("192.0.2.1") }), "200 200 200");
  assert.equal(await statuses(4, "/user", from("192.0.2.1")), "200 200 200 429");
  assert.equal(await statuses(1, "/user", from("192.0.2.2")), "200");
});

test("a token that is refused costs a user nothing", async (t) => {
  const { statuses } = await scene(t);
  const forged = { authorization: `Bearer ${hs(claims({ sub: "a" }), { secret: "x".repeat(64) })}` };
  assert.equal(await statuses(5, "/user", forged), "401 401 401 401 401");
  assert.equal(await statuses(3, "/user", as("a")), "200 200 200");
});

test("claims along dots, headers and paths are counted by", async (t) => {
  const { statuses } = await scene(t);
  assert.equal(await statuses(4, "/claim", as("a", { org: { id: 7 } })), "200 200 200 429");
  assert.equal(await statuses(1, "/claim", as("b", { org: { id: 7 } })), "429");
  assert.equal(await statuses(1, "/claim", as("a", { org: { id: 8 } })), "200");
  assert.equal(await statuses(4, "/header", { "x-key": "1" }), "200 200 200 429");
  assert.equal(await statuses(1, "/header", { "x-key": "2" }), "200");
  assert.equal(await statuses(3, "/path/a"), "200 200 200");
  // One path in another spelling.
  assert.equal(await statuses(1, "/path//%61"), "429");
  assert.equal(await statuses(1, "/path/b"), "200");
});

test("of several limits each holds", async (t) => {
  const { statuses } = await scene(t);
  assert.equal(await statuses(2, "/both", { ...from("192.0.2.1"), ...as("a") }), "200 429");
  assert.equal(await statuses(1, "/both", { ...from("192.0.2.1"), ...as("b") }), "200");
  assert.equal(await statuses(1, "/both", { ...from("192.0.2.1"), ...as("c") }), "429");
  assert.equal(await statuses(1, "/both", { ...from("192.0.2.2"), ...as("c") }), "200");
});

test("a limit that is not bound lets nobody pass", async (t) => {
  const { gate, ask } = await scene(t);
  const { status, code } = await ask("/unbound");
  assert.deepEqual([status, code], [500, "config_error"]);
  assert.match(gate.log(), /no rate limit is bound as `NOBODY`/);
  assert.equal((await ask("/free")).status, 200);
});

test("a limit that fails lets nobody pass", async (t) => {
  const { ask } = await scene(t, CONFIG, { ratelimits: {}, serviceBindings: { RL: () => new Response("no", { status: 500 }) } });
  const { status } = await ask("/ip");
  assert.equal(status, 500);
});

test("a body that is too large is a 413, by its length and by its bytes", async (t) => {
  const whole = [];
  const up = await upstream((request) => void request.on("end", () => whole.push(request.url)));
  const gate = await gateway(
    { servers: [{ alias: "up", url: "$env.UP" }], limits: { max_body_bytes: 1000 }, paths: [{ method: "POST", path: "/x", integration: { type: "http_proxy", server: "up" } }] },
    { bindings: { UP: up.url } },
  );
  t.after(gate.stop);
  t.after(up.stop);
  const chunked = (bytes) =>
    new Promise((resolve, reject) => {
      const sent = httpRequest(new URL("/x", gate.url), { method: "POST" }, async (response) => {
        let text = "";
        for await (const chunk of response) text += chunk;
        resolve([response.statusCode, JSON.parse(text)]);
      });
      sent.on("error", reject);
      for (let left = bytes; left > 0; left -= 100) sent.write(Buffer.alloc(100, 120));
      sent.end();
    });
  assert.equal((await gate.request("/x", { method: "POST", body: "x".repeat(1000) })).status, 200);
  const refused = await gate.request("/x", { method: "POST", body: "x".repeat(1001) });
  assert.deepEqual([refused.status, (await refused.json()).code], [413, "payload_too_large"]);
  const [status, { body }] = await chunked(1000);
  assert.deepEqual([status, body.length], [200, 1000]);
  const [tooMuch, { code }] = await chunked(2000);
  assert.deepEqual([tooMuch, code], [413, "payload_too_large"]);
  assert.equal(whole.length, 2, "an upstream took a body that was cut for a whole one");
});
