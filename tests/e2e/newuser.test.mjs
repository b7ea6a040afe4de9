// What a new user does, with the command alone: a protected route, a consumer, a credential, a token out of another language's library.
// The real `wrangler dev` and the real `wrangler kv` in a folder of their own; the command's output is what the next step goes by.
import assert from "node:assert/strict";
import { execFile, spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { SignJWT, importPKCS8 } from "jose";
import { bearer, freePort, root, upstream } from "./harness.mjs";

const folder = mkdtempSync(join(tmpdir(), "portcullis-newuser-"));
const env = { ...process.env, WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" };

/** A Python with PyJWT, which `build/` keeps; none where it cannot be had. */
function python() {
  const place = join(root, "build/pyjwt");
  const works = () => spawnSync("python3", ["-c", "import jwt; jwt.encode"], { env: { ...env, PYTHONPATH: place } }).status === 0;
  if (works()) return place;
  mkdirSync(join(root, "build"), { recursive: true });
  spawnSync("python3", ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout", "10", "--target", place, "pyjwt"], { env, timeout: 40_000 });
  return existsSync(place) && works() ? place : undefined;
}

const pyjwt = python();
const library = pyjwt ? "PyJWT" : "jose, since PyJWT cannot be had here";

/** A token with `claims`, by the library of another language where there is one. */
function sign(claims, secret) {
  if (!pyjwt) return new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(secret));
  const program = "import json, sys, jwt; asked = json.load(sys.stdin); print(jwt.encode(asked['claims'], asked['secret'], algorithm='HS256'))";
  const { stdout, stderr } = spawnSync("python3", ["-c", program], { input: JSON.stringify({ claims, secret }), encoding: "utf8", env: { ...env, PYTHONPATH: pyjwt } });
  assert.match(stdout, /^\S+\.\S+\.\S+\n$/, stderr);
  return stdout.trim();
}

/** Runs the command: its output, and no other exit code than the expected one. Connections that are open stay so meanwhile. */
async function portcullis(line, expected = 0) {
  const { error, stdout, stderr } = await new Promise((resolve) => {
    execFile(join(root, "target/debug/portcullis"), line.split(" "), { cwd: folder, encoding: "utf8", env }, (error, stdout, stderr) => resolve({ error, stdout, stderr }));
  });
  assert.equal(error?.code ?? 0, expected, `portcullis ${line}\n${stdout}${stderr}`);
  return { stdout, stderr };
}

/** Algorithm, secret and `iss`, as `jwt add` prints them. */
function credential(stdout) {
  const [headings, row] = stdout.trimEnd().split("\n");
  assert.match(headings, /^ALGORITHM +SECRET +ISS$/);
  const [algorithm, secret, iss] = row.split(/ +/);
  return { algorithm, secret, iss };
}

describe(`a new user, with tokens of ${library}`, { timeout: 110_000 }, () => {
  let app;
  let dev;
  let port;
  let output = "";

  before(async () => {
    app = await upstream();
    port = await freePort();
    const file = join(folder, "gateway.json");
    // The project's own configuration and settings, in a folder of their own.
    cpSync(join(root, "gateway.json"), file);
    cpSync(join(root, ".dev.vars.example"), join(folder, ".dev.vars"));
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    const settings = readFileSync(join(root, "wrangler.toml"), "utf8")
      .replace('main = "worker/entry.js"', `main = ${JSON.stringify(join(root, "worker/entry.js"))}`)
      .replace(/^command = .*$/m, `command = ${JSON.stringify(`node ${join(root, "scripts/build.mjs")} ${file}`)}`)
      .replace(/^watch_dir = .*$/m, `watch_dir = [${JSON.stringify(file)}]`)
      .replace(/^port = .*$/m, `port = ${port}`);
    writeFileSync(join(folder, "wrangler.toml"), settings);
    assert.match((await portcullis("infra endpoint", 1)).stderr, /nothing answers on http:\/\/localhost:\d+: `npm start` starts it/);
    dev = spawn(join(root, "node_modules/.bin/wrangler"), ["dev", "--ip", "127.0.0.1", "--inspector-port", String(await freePort())], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [dev.stdout, dev.stderr]) stream.on("data", (chunk) => (output += chunk));
    await until(async () => (await ask("/health")).status === 200, 60_000);
  });
  after(async () => {
    dev?.kill("SIGINT");
    await app.stop();
    await sleep(500);
    rmSync(folder, { recursive: true, force: true });
    // The copy beside the wasm is the repository's own again.
    spawn(process.execPath, [join(root, "scripts/build.mjs")], { stdio: "ignore" });
  });

  async function ask(path, init) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init).catch((error) => error);
    if (response instanceof Error) return { status: 0, body: {} };
    return { status: response.status, body: await response.json().catch(() => ({})) };
  }

  async function until(holds, patience = 8000) {
    const started = Date.now();
    while (!(await holds())) {
      if (Date.now() - started > patience) throw new Error(`it did not come to be within ${patience} ms\n${output}`);
      await sleep(50);
    }
  }

  let first;
  const call = async (key, more = {}) => ask("/app/hello", bearer(await sign({ iss: key.iss, ...more }, key.secret)));

  test("adds a protected route, which is live at once and refuses", async () => {
    const { stdout, stderr } = await portcullis(`route add /app --jwt --to ${app.url}`);
    assert.match(stdout, /^added ANY \/app\/\{\.\+\} in gateway\.json\n {2}who {4}authorizer consumers \(consumers\)\n/);
    assert.match(stderr, /the authorizer `consumers` was added/);
    await until(async () => (await ask("/app/hello")).status === 401);
    assert.equal((await ask("/app")).body.code, "missing_token");
    assert.equal((await ask("/app/x/y")).body.code, "missing_token");
    // What is remembered, for a second only.
    const file = join(folder, "gateway.json");
    assert.match((await portcullis("revoke --sub ann", 1)).stderr, /no authorizer of gateway\.json has a revocation list/);
    const config = readFileSync(file, "utf8").replace('"binding": "CONSUMERS"', '"binding": "CONSUMERS", "cache_ttl_ms": 1000, "revocation": { "cache_ttl_ms": 1000 }');
    writeFileSync(file, config);
    assert.equal((await portcullis("infra endpoint")).stdout, `http://localhost:${port}\n`);
  });

  test("adds a consumer and a credential: a token that is signed with it passes, without a restart", async () => {
    await portcullis("consumer add my-app");
    const { stdout } = await portcullis("jwt add my-app");
    first = credential(stdout);
    assert.equal(first.algorithm, "HS256");
    const { status, body } = await call(first);
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.url, "/hello");
    assert.equal(body.headers["x-consumer-username"], "my-app");
    assert.equal(body.headers["x-credential-identifier"], first.iss);
    assert.ok(body.headers["x-consumer-id"]);
    assert.equal((await call({ ...first, secret: `${first.secret}x` })).body.code, "invalid_signature");
    assert.equal((await call({ ...first, iss: "nobody" })).body.code, "unknown_credential");
  });

  test("sees no secret in lists unless it is asked for", async () => {
    const lines = ["jwt ls my-app", "jwt ls my-app --show-secrets", "consumer ls"];
    const [listed, shown, consumers] = (await Promise.all(lines.map((line) => portcullis(line)))).map(({ stdout }) => stdout);
    assert.ok(listed.includes(first.iss) && !listed.includes(first.secret), listed);
    assert.ok(shown.includes(first.secret), shown);
    assert.match(consumers, /^NAME +ID +CREDENTIALS +CREATED\nmy-app +\S+ +1 /);
  });

  test("has a key pair instead, and the private key stays with the consumer", async () => {
    const made = JSON.parse((await portcullis("jwt add my-app --alg ES256 --json")).stdout);
    const token = await new SignJWT({ iss: made.iss }).setProtectedHeader({ alg: "ES256" }).sign(await importPKCS8(made.private_key, "ES256"));
    assert.equal((await ask("/app/hello", bearer(token))).status, 200);
  });

  test("rotates: the new credential counts at once, the old one until its end", async () => {
    const second = credential((await portcullis(`jwt rotate my-app ${first.iss} --overlap 1h`)).stdout);
    assert.notEqual(second.iss, first.iss);
    assert.equal((await call(second)).status, 200);
    assert.equal((await call(first)).status, 200);
    await portcullis(`jwt rm my-app ${first.iss}`);
    await until(async () => (await call(first)).body.code === "unknown_credential");
    first = second;
  });

  test("is told what would open the route, and that it takes --force; and what wrangler says", async () => {
    assert.match((await portcullis("consumer ls --binding OTHER", 2)).stderr, /binding name "OTHER" was not found[^]*add it to wrangler\.toml:\n\n\[\[kv_namespaces\]\]\nbinding = "OTHER"/);
    const before = readFileSync(join(folder, "gateway.json"), "utf8");
    assert.match((await portcullis("route add /app", 1)).stderr, /OPEN, a request without a token passes\n--force changes it/);
    assert.equal(readFileSync(join(folder, "gateway.json"), "utf8"), before);
  });

  test("takes tokens back by their subject, and lets them count again", async () => {
    const ann = { sub: "ann", iat: Math.floor(Date.now() / 1000) - 5 };
    await portcullis("revoke --sub ann");
    await until(async () => (await call(first, ann)).body.code === "token_revoked");
    assert.equal((await call(first, { ...ann, sub: "bob" })).status, 200);
    assert.match((await portcullis("revoke ls")).stdout, /^BY +WHOM +ISSUED +FORGOTTEN\nsub +ann +before /);
    await portcullis("revoke rm --sub ann");
    await until(async () => (await call(first, ann)).status === 200);
  });

  test("removes the consumer, and its credentials are gone with it", async () => {
    assert.equal((await call(first)).status, 200);
    assert.match((await portcullis("consumer rm my-app")).stdout, /^consumer my-app removed from CONSUMERS on this machine with 2 credentials\n/);
    await until(async () => (await call(first)).body.code === "unknown_credential");
    assert.equal((await call(first)).status, 401);
    assert.match((await portcullis("consumer ls")).stdout, /^no consumers in CONSUMERS/);
  });
});
