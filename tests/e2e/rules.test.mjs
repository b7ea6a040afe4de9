// Who may do what: rules, scopes and roles; what a refused client learns, and what the operator does.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { SignJWT, exportJWK, generateKeyPair } from "jose";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SECRET, bearer, claims, example, gateway, hs, now } from "./harness.mjs";

const ruled = (path, rules, auth = true, more = {}) => ({ method: "ANY", path, auth, ...(rules ? { authorization: { rules } } : {}), response: { ok: true }, ...more });
const TRUE = "jwt.level == 7";
const FALSE = "jwt.level == 8";
const FAILS = "jwt.absent == 1";

/** Each kind of rule with each answer, for each mode: what a good token, a bad one and none get. */
const MATRIX = [];
for (const mode of ["strict", "optional", "permissive"]) {
  for (const [kind, answer, source, good] of [
    ["allow", "true", TRUE, 200],
    ["allow", "false", FALSE, 403],
    ["allow", "error", FAILS, 403],
    ["deny", "true", TRUE, 403],
    ["deny", "false", FALSE, 200],
    ["deny", "error", FAILS, 403],
    ["require", "true", TRUE, 200],
    ["require", "false", FALSE, 403],
    ["require", "error", FAILS, 403],
  ]) {
    // Without claims each of these expressions fails, and so refuses, whatever its kind.
    const none = mode === "strict" ? 401 : 403;
    const bad = mode === "permissive" ? 403 : 401;
    MATRIX.push({ name: `${mode} ${kind} ${answer}`, path: `/m/${mode}/${kind}/${answer}`, mode, rule: { [kind]: source }, good, bad, none });
  }
}

const CONFIG = {
  authorizer: { type: "jwt", secret: "$env.SECRET", algorithm: "HS256", audience: "api-audience" },
  cors: { allow_origins: ["https://app.example"] },
  paths: [
    ...MATRIX.map(({ path, mode, rule }) => ruled(path, [rule], { mode })),
    ruled("/anybody", [{ require: "!has(jwt.sub) || jwt.sub != 'banned'" }], { mode: "optional" }),
    ruled("/open", [{ deny: "request.headers['x-env'] == 'test'" }, { require: "source.ip != '192.0.2.66'" }], false),
    ruled("/tenants/{id}/{.+}", [{ require: "request.path.startsWith('/tenants/' + jwt.tenant + '/')" }, { deny: "request.method == 'DELETE' && !(jwt.roles.contains('admin'))" }]),
    ruled("/query", [{ deny: "'role' in request.query && request.query.role == 'super admin'" }], false),
    ruled("/pattern", [{ allow: "jwt.email.matches('^[a-z]+@example\\\\.com$')" }]),
    // As deep as the check lets through.
    ruled("/deep", [{ allow: `jwt.level == ${"0 + ".repeat(90)}7` }, { require: `${"!(".repeat(90)}jwt.level == 7${")".repeat(90)}` }]),
    ruled("/scoped", undefined, { scopes: ["orders:read", "orders:write"] }),
    ruled("/perhaps-scoped", undefined, { scopes: "orders:read", mode: "permissive" }),
    ruled("/any-scope", undefined, { scopes: ["orders:read", "orders:write"], scopes_match: "any" }),
    ruled("/roles", undefined, { roles: ["editor", "admin"], roles_claim: "realm_access.roles" }),
  ],
};

let gate;
before(async () => void (gate = await gateway(CONFIG, { bindings: { SECRET } })));
after(() => gate?.stop());

const ask = async (path, payload, init = {}) => {
  const token = payload === undefined ? {} : bearer(typeof payload === "string" ? payload : hs(claims(payload)));
  const response = await gate.request(path, { ...init, headers: { ...token.headers, ...init.headers } });
  return { status: response.status, response, body: await response.json() };
};

describe("each kind of rule, with each answer, in each mode", () => {
  for (const { name, path, good, bad, none } of MATRIX) {
    test(`${name}: ${good} with a token, ${bad} with a bad one, ${none} without`, async () => {
      const forged = hs(claims({ level: 7 }), { secret: "x".repeat(64) });
      const got = [await ask(path, { level: 7 }), await ask(path, forged), await ask(path)];
      assert.deepEqual(got.map(({ status }) => status), [good, bad, none]);
    });
  }
});

describe("rules", () => {
  test("may let those pass who are nobody", async () => {
    assert.equal((await ask("/anybody")).status, 200);
    assert.equal((await ask("/anybody", { sub: "user-1" })).status, 200);
    assert.equal((await ask("/anybody", { sub: "banned" })).status, 403);
  });

  test("judge requests of paths without an authorizer too", async () => {
    const open = (headers) => ask("/open", undefined, { headers: { "x-env": "prod", "cf-connecting-ip": "192.0.2.1", ...headers } });
    assert.equal((await open({})).status, 200);
    assert.equal((await open({ "x-env": "test" })).status, 403);
    assert.equal((await open({ "cf-connecting-ip": "192.0.2.66" })).status, 403);
    // A header that a deny asks for and that is not there: not known to be harmless.
    assert.equal((await ask("/open", undefined, { headers: { "cf-connecting-ip": "192.0.2.1" } })).status, 403);
  });

  test("see the path that was matched, in its one spelling", async () => {
    for (const [path, status] of [
      ["/tenants/a/x", 200],
      ["/tenants//%61/x", 200],
      ["/tenants/b/x", 403],
      ["/tenants/%62/x", 403],
      ["/tenants/ab/x", 403],
    ]) {
      assert.equal((await ask(path, { tenant: "a", roles: [] })).status, status, path);
    }
  });

  test("combine: deny counts beside what is required", async () => {
    const remove = (roles) => ask("/tenants/a/x", { tenant: "a", roles }, { method: "DELETE" });
    assert.equal((await remove(["admin"])).status, 200);
    assert.equal((await remove(["ops"])).status, 403);
    assert.equal((await remove(7)).status, 403);
  });

  test("see a query as forms write it, and no parameter of two values", async () => {
    for (const [query, status] of [["", 200], ["?role=user", 200], ["?role=super%20admin", 403], ["?role=super+admin", 403], ["?role=user&role=user", 200]]) {
      assert.equal((await ask(`/query${query}`)).status, status, query);
    }
    // Which of two an upstream believes nobody knows.
    assert.equal((await ask("/query?role=user&role=super%20admin")).status, 403);
    assert.equal((await ask("/tenants/a/x?role=a&role=b", { tenant: "a", roles: [] })).status, 200);
  });

  test("have regular expressions", async () => {
    assert.equal((await ask("/pattern", { email: "a@example.com" })).status, 200);
    assert.equal((await ask("/pattern", { email: "a@example.com.evil" })).status, 403);
    assert.equal((await ask("/pattern", { email: 7 })).status, 403);
  });

  test("run on the stack that a Worker has, however deep the check lets them be", async () => {
    assert.deepEqual([(await ask("/deep", { level: 7 })).status, (await ask("/deep", { level: 8 })).status, (await ask("/deep", {})).status], [200, 403, 403]);
  });

  test("a refused client learns nothing of them; the operator learns which it was and what was missing", async () => {
    const { status, body, response } = await ask("/m/strict/require/error", { level: 7 }, { headers: { origin: "https://app.example" } });
    assert.deepEqual([status, body.error, body.code, body.message, body.details], [403, "forbidden", "access_denied", "Access denied", undefined]);
    assert.equal(response.headers.get("access-control-allow-origin"), "https://app.example");
    assert.equal(response.headers.get("www-authenticate"), null);
    assert.ok(!JSON.stringify(body).includes("absent"));
    const line = gate.log().split("\n").filter((text) => text.includes(body.requestId)).map((text) => JSON.parse(text))[0];
    assert.match(line.reason, /rule 1 \(require jwt\.absent == 1\) fails: there is no `absent`/);
    assert.equal(line.authorizer, "default");
  });
});

describe("scopes and roles", () => {
  test("all scopes are needed unless one is said to do; scope is a text, scp a text or a list", async () => {
    for (const [path, payload, status] of [
      ["/scoped", { scope: "orders:read orders:write x" }, 200],
      ["/scoped", { scp: ["orders:write", "orders:read"] }, 200],
      ["/scoped", { scp: "orders:write orders:read" }, 200],
      ["/scoped", { scope: "orders:read" }, 403],
      ["/scoped", { scope: "orders:readorders:write" }, 403],
      ["/scoped", { scope: 7 }, 403],
      ["/scoped", {}, 403],
      ["/any-scope", { scope: "orders:write" }, 200],
      ["/any-scope", { scope: "orders" }, 403],
    ]) {
      assert.equal((await ask(path, payload)).status, status, JSON.stringify([path, payload]));
    }
  });

  test("what is lacking is said as RFC 6750 has it", async () => {
    const { body, response } = await ask("/scoped", { scope: "orders:read" });
    assert.equal(body.code, "insufficient_scope");
    assert.equal(response.headers.get("www-authenticate"), 'Bearer realm="portcullis", error="insufficient_scope", scope="orders:read orders:write"');
  });

  test("who is nobody, for want of a good token, is asked for one", async () => {
    const told = async (payload) => {
      const { status, body, response } = await ask("/perhaps-scoped", payload);
      return [status, body.code, response.headers.get("www-authenticate")];
    };
    const bearer = 'Bearer realm="portcullis"';
    assert.deepEqual(await told(), [401, "missing_token", bearer]);
    assert.deepEqual(await told({ exp: now() - 600 }), [401, "token_expired", `${bearer}, error="invalid_token", error_description="Token expired"`]);
    assert.deepEqual(await told({ scope: "x" }), [403, "insufficient_scope", `${bearer}, error="insufficient_scope", scope="orders:read"`]);
    assert.equal((await ask("/perhaps-scoped", { scope: "orders:read" })).status, 200);
  });

  test("one role is enough, in a claim along dots; a text is one role", async () => {
    const roles = async (list) => (await ask("/roles", { realm_access: { roles: list } })).status;
    assert.deepEqual([await roles(["x", "admin"]), await roles("editor"), await roles("super admin"), await roles([]), await roles({ admin: true })], [200, 200, 403, 403, 403]);
    assert.equal((await ask("/roles", {})).status, 403);
  });
});

const text = example("modes-and-rules");
test("the example with modes and rules works as it is", { skip: text === undefined && "the folder of examples is not here" }, async (t) => {
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const folder = mkdtempSync(join(tmpdir(), "portcullis-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "pub-key.json"), JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: "k", alg: "ES256", use: "sig" }] }));
  const other = await gateway(text, { folder });
  t.after(other.stop);
  const sign = (payload) =>
    new SignJWT({ iss: "agentgateway.dev", aud: "test.agentgateway.dev", sub: "test-user", exp: now() + 300, ...payload }).setProtectedHeader({ alg: "ES256", kid: "k" }).sign(privateKey);
  const status = async (path, token) => (await other.request(path, token === undefined ? {} : bearer(token))).status;
  const [admin, user] = [await sign({ groups: ["admins"] }), await sign({ groups: ["users"] })];
  for (const [path, none, bad, good] of [["/strict", 401, 401, 200], ["/optional", 200, 401, 200], ["/permissive", 200, 200, 200]]) {
    assert.deepEqual([await status(path), await status(path, "a.b.c"), await status(path, user)], [none, bad, good], path);
  }
  assert.deepEqual([await status("/admin", admin), await status("/admin", user), await status("/admin", await sign({})), await status("/admin")], [200, 403, 403, 401]);
});
