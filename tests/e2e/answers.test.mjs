// The gateway's own answers: their headers are kept for the next answer that has the same, and nothing of one may be found in another.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { SECRET, gateway, raw } from "./harness.mjs";

/** Lines that are kept, and a few more. */
const MANY = 150;

const CONFIG = {
  authorizer: { type: "jwt", secret: "$secret.SECRET", algorithm: "HS256" },
  cors: { allow_origins: ["https://*.example.com"] },
  paths: [
    { method: "GET", path: "/guarded", auth: true, response: { ok: true } },
    // With the headers of a refusal, but for its id.
    { method: "GET", path: "/alike", response: { ok: true }, response_headers: { "cache-control": "no-store" } },
    { method: "GET", path: "/bare", response: { a: "\n\n" }, mapping: { response_headers: { "content-type": null, vary: null } } },
    { method: "GET", path: "/odd", response: 1, response_headers: { constructor: "a", ["__proto__"]: "b", tostring: "c" } },
    { method: "GET", path: "/told", response: { ok: true }, mapping: { response_headers: { "x-told": "$request.query.n" } } },
    { method: "GET", path: "/empty", response: { ok: true }, response_status: 204, response_headers: { "x-a": "1" } },
  ],
};

let gate;
before(async () => {
  gate = await gateway(CONFIG, { bindings: { SECRET } });
});
after(() => gate?.stop());

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe("the gateway's own answers", () => {
  test("have an id each, however many are made at once, and the body says the same one", async () => {
    const answers = await Promise.all(
      Array.from({ length: MANY }, async (_, index) => {
        const headers = index % 3 === 0 ? { "x-request-id": `mine-${index}` } : {};
        const answer = await gate.request(index % 2 ? "/guarded" : "/nowhere", { headers });
        return [answer.headers.get("x-request-id"), (await answer.json()).requestId, headers["x-request-id"]];
      }),
    );
    for (const [told, inBody, sent] of answers) {
      assert.equal(told, inBody);
      if (sent) assert.equal(told, sent);
      else assert.match(told, UUID);
    }
    assert.equal(new Set(answers.map(([told]) => told)).size, MANY);
  });

  test("have no id where they tell none, though their other headers are those of a refusal", async () => {
    for (let turn = 0; turn < 3; turn += 1) {
      const refused = await gate.request("/nowhere");
      assert.ok(refused.headers.get("x-request-id"));
      const answer = await gate.request("/alike");
      const lists = [refused, answer].map(({ headers }) => ["content-type", "cache-control"].map((name) => headers.get(name)));
      assert.deepEqual(lists[0], lists[1]);
      assert.equal(answer.headers.get("x-request-id"), null);
    }
  });

  test("have their own headers, when there are more different ones than are kept and when they are long", async () => {
    const long = "x".repeat(3000);
    for (const told of [...Array(MANY).keys(), 0, 1, MANY - 1, long, `${long}y`, long]) {
      const answer = await gate.request(`/told?n=${told}`);
      assert.equal(answer.headers.get("x-told"), String(told));
      assert.deepEqual(await answer.json(), { ok: true });
    }
    const none = await gate.request("/told");
    assert.equal(none.headers.get("x-told"), null);
  });

  test("have headers that are called as what every object has", async () => {
    const { headers } = await gate.request("/odd");
    assert.deepEqual(["constructor", "__proto__", "tostring"].map((name) => headers.get(name)), ["a", "b", "c"]);
  });

  test("tell an origin its own name alone", async () => {
    const origins = Array.from({ length: MANY }, (_, index) => `https://app${index}.example.com`);
    for (const origin of [...origins, ...origins.slice(0, 3), "https://elsewhere.example.org"]) {
      for (const path of ["/guarded", "/alike"]) {
        const { headers } = await gate.request(path, { headers: { origin } });
        assert.equal(headers.get("access-control-allow-origin"), origin.endsWith(".com") ? origin : null, `${path} from ${origin}`);
        assert.equal(headers.get("vary"), "Origin");
      }
    }
  });

  test("have their whole body where they have no headers, and none where there is to be none", async () => {
    const bare = await raw(gate.url, "GET /bare HTTP/1.1\nHost: a");
    assert.match(bare, /^HTTP\/1.1 200 OK\r\n/);
    // Not one: what is left is the runtime's.
    assert.doesNotMatch(bare, /application\/json|vary/i);
    assert.ok(bare.endsWith('\r\n\r\n{"a":"\\n\\n"}'), bare);
    const head = await raw(gate.url, "HEAD /guarded HTTP/1.1\nHost: a");
    assert.match(head, /^HTTP\/1.1 401 [^]*www-authenticate: Bearer[^]*\r\n\r\n$/i);
    const empty = await gate.request("/empty");
    assert.deepEqual([empty.status, empty.headers.get("x-a"), await empty.text()], [204, "1", ""]);
  });
});
