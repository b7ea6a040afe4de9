// What every end-to-end test stands on: the bundle that `wrangler deploy` would upload, on workerd as Miniflare runs it, with an
// upstream of its own. One build is shared by all files; only the configuration in the wasm differs.
import { spawnSync } from "node:child_process";
import { createHmac, randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Miniflare } from "miniflare";
import { prepared } from "../../scripts/lib/prepare.mjs";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const command = join(root, "target/debug/portcullis");

export const SECRET = "a-test-secret-of-more-than-sixty-four-bytes-which-suits-every-hs-algorithm";
export const ISSUER = "https://issuer.example.com";
export const AUDIENCE = "api-audience";

/** A configuration from `../shared/examples`, or `undefined` where that folder is not. */
export function example(name) {
  const folder = process.env.PORTCULLIS_EXAMPLES ?? join(root, "../shared/examples");
  try {
    return readFileSync(join(folder, `${name}.json`), "utf8");
  } catch {
    return undefined;
  }
}

/** The text of a configuration as the build would let it through, with the files of `beside`; throws with its problems otherwise. */
function checked(text, beside) {
  const folder = mkdtempSync(join(tmpdir(), "portcullis-"));
  try {
    const [input, output] = [join(beside ?? folder, "in.json"), join(folder, "out.json")];
    writeFileSync(input, text);
    const { status, error, stdout } = spawnSync(command, ["check", input, "--output", output], { encoding: "utf8" });
    if (error) throw error;
    if (status !== 0) throw new Error(stdout);
    return readFileSync(output, "utf8");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The build that a configuration needs: rules have their language with them, and all other tests show what the plain build does. */
function buildFor(configuration) {
  const [bundle, wasm] = /"rules"/.test(configuration) ? ["bundle-rules", "with-rules"] : ["bundle", "plain"];
  return { bundle: join(root, "build", bundle), wasm: readFileSync(join(root, "build", wasm, "portcullis_bg.wasm")) };
}

function modules({ bundle, wasm }, configuration, patch) {
  const files = readdirSync(bundle).filter((file) => /\.(js|wasm)$/.test(file));
  const listed = files.map((file) => {
    const path = join(bundle, file);
    if (file.endsWith(".wasm")) return { type: "CompiledWasm", path, contents: prepared(wasm, configuration) };
    return { type: "ESModule", path, contents: patch(readFileSync(path, "utf8")) };
  });
  // The entry point comes first.
  return listed.sort((a) => (a.path.endsWith("entry.js") ? -1 : 1));
}

/**
 * Starts the gateway with `configuration`: an object, or the text of a file that must work as it is. `patch` changes the bundle's
 * JavaScript, `others` are Workers beside it, `folder` has the files that it names; all other options
 * are Miniflare's.
 */
export async function gateway(configuration, { bindings = {}, patch = (code) => code, others = [], folder, ...options } = {}) {
  const text = typeof configuration === "string" ? configuration : JSON.stringify(configuration);
  const build = buildFor(text);
  const log = [];
  const worker = {
    name: "gateway",
    modules: modules(build, checked(text, folder), patch),
    modulesRoot: build.bundle,
    compatibilityDate: "2026-04-01",
    bindings,
    kvNamespaces: ["JWKS_CACHE"],
    // Straight to the Worker's own socket: Miniflare's entry Worker would rewrite URLs first.
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    ...options,
  };
  const handleRuntimeStdio = (stdout, stderr) => {
    for (const stream of [stdout, stderr]) stream.on("data", (chunk) => log.push(chunk.toString()));
  };
  const mf = new Miniflare({ handleRuntimeStdio, workers: [worker, ...others] });
  const url = await mf.unsafeGetDirectURL().catch(async (error) => {
    await mf.dispose();
    throw new Error(`workerd did not start: ${log.join("")}`, { cause: error });
  });
  return {
    mf,
    url,
    /** What the Worker wrote to its console. */
    log: () => log.join(""),
    /** A request that follows no redirects. */
    request: (path, init) => fetch(new URL(path, url), { redirect: "manual", ...init }),
    raw: (head, body) => raw(url, head, body),
    kv: () => mf.getKVNamespace("JWKS_CACHE"),
    stop: () => mf.dispose(),
  };
}

/** A port of this machine that nobody has. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Sends bytes as they are and returns what came back, as text. */
export function raw(url, head, body = "") {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(url.port), url.hostname);
    let answer = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => {
      answer += chunk;
      if (isWhole(answer, head.startsWith("HEAD "))) socket.destroy();
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
    socket.write(Buffer.from(`${head.replaceAll("\n", "\r\n")}\r\nConnection: close\r\n\r\n${body}`, "latin1"));
  });
}

/** Whether an answer is all there (RFC 9112 section 6.3): the server keeps the connection open a while. */
function isWhole(answer, isHead) {
  const end = answer.indexOf("\r\n\r\n");
  if (end < 0) return false;
  const head = answer.slice(0, end).toLowerCase();
  if (isHead || /^http\/1.1 (204|304)/.test(head)) return true;
  const length = head.match(/\r\ncontent-length: (\d+)/);
  return length ? answer.length >= end + 4 + Number(length[1]) : answer.endsWith("0\r\n\r\n");
}

/** An upstream over real sockets. Answers with what it got, unless `handler` answers first. */
export async function upstream(handler) {
  const seen = [];
  const server = createServer(async (request, response) => {
    seen.push(request);
    if (await handler?.(request, response)) return;
    const chunks = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      return; // The client went away.
    }
    const { method, url, headers, rawHeaders } = request;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ method, url, headers, rawHeaders, body: Buffer.concat(chunks).toString() }));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    server,
    seen,
    url: `http://127.0.0.1:${server.address().port}`,
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An address where nothing listens. */
export async function nobody() {
  const { url, stop } = await upstream();
  await stop();
  return url;
}

export const now = () => Math.floor(Date.now() / 1000);

/** Claims that every HS test configuration accepts. */
export const claims = (more = {}) => ({ iss: ISSUER, aud: AUDIENCE, sub: "user-1", exp: now() + 300, ...more });

export const part = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** A token signed with a shared secret. */
export function hs(payload = claims(), { alg = "HS256", secret = SECRET, header = {} } = {}) {
  const input = `${part({ alg, typ: "JWT", ...header })}.${part(payload)}`;
  return `${input}.${createHmac(`sha${alg.slice(2)}`, secret).update(input).digest("base64url")}`;
}

export const bearer = (token) => ({ headers: { authorization: `Bearer ${token}` } });

export const requestId = () => randomUUID();
