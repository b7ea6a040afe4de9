// The Workers that are compared, each in a workerd of its own and with the same job: check the token, set two headers from its claims, send the
// request on, answer 200.
import { fork } from "node:child_process";
import { generateKeyPairSync, sign } from "node:crypto";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { SECRET, gateway, hs, part } from "../tests/e2e/harness.mjs";
import { started } from "../scripts/lib/cpu.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const JWKS = { keys: [{ ...rsa.publicKey.export({ format: "jwk" }), kid: "bench", alg: "RS256", use: "sig" }] };
const RULES = { issuer: "https://issuer.example.com", audience: "api" };
const COMPATIBILITY = "2026-04-01";

// Miniflare puts a Worker of its own between a Worker and its upstreams, which copies each request to take one header off it: as dear as a bare
// pass-through, and no part of what is deployed.
const DIRECTLY = { stripCfConnectingIp: false };

let count = 0;

/** A token of somebody who was not here yet; `claims` change it. */
export function token(algorithm, claims) {
  const number = (count += 1);
  const payload = { iss: RULES.issuer, aud: RULES.audience, sub: `user-${number}`, email: `user-${number}@example.com`, exp: 4_000_000_000, ...claims };
  if (algorithm === "HS256") return hs(payload);
  const input = `${part({ alg: algorithm, typ: "JWT", kid: "bench" })}.${part(payload)}`;
  return `${input}.${sign("sha256", Buffer.from(input), rsa.privateKey).toString("base64url")}`;
}

/** The upstream of all of them, in a process of its own. */
export async function upstream() {
  const child = fork(here("upstream.mjs"), { env: { ...process.env, JWKS: JSON.stringify(JWKS) } });
  const port = await new Promise((resolve) => child.once("message", resolve));
  return { url: `http://127.0.0.1:${port}`, stop: () => child.kill() };
}

/** Portcullis with as many further routes. Its log is off: none of the others keeps one. */
export const ours = (up, routes = 0, log = "off") => started(async () => {
  const claims = { ...RULES, clock_skew_seconds: 30, forward_claims: { sub: "x-user-id", email: "x-user-email" } };
  const to = { type: "http_proxy", server: "up" };
  const configuration = {
    log: { level: log },
    servers: [{ alias: "up", url: "$env.UPSTREAM" }],
    authorizers: [
      { name: "hs", type: "jwt", secret: "$secret.SECRET", algorithm: "HS256", ...claims },
      { name: "rs", type: "jwt", jwks_url: "$env.JWKS_URL", algorithm: "RS256", ...claims },
    ],
    paths: [
      { method: "GET", path: "/static", response: { status: "ok" } },
      ...Array.from({ length: routes }, (_, number) => ({ method: "GET", path: `/route/${number}`, response: { status: "ok" } })),
      // The upstream gets the whole path, as the others send it.
      { method: "ANY", path: "/hs/{.+}", auth: "hs", integration: { ...to, rewrite: "/hs/$request.path.rest" } },
      { method: "ANY", path: "/rs/{.+}", auth: "rs", integration: { ...to, rewrite: "/rs/$request.path.rest" } },
    ],
  };
  const gate = await gateway(configuration, { bindings: { SECRET, UPSTREAM: up.url, JWKS_URL: `${up.url}/jwks.json` }, ...DIRECTLY });
  return [gate.url, gate.stop];
});

/** One of `workers/`, bundled as wrangler does, with as many further routes. */
export const peer = (name, up, routes = 0) => started(async () => {
  const configuration = { UPSTREAM: up.url, SECRET, JWKS_URL: `${up.url}/jwks.json`, ROUTES: routes };
  const { outputFiles } = await build({
    entryPoints: [here(`workers/${name}.mjs`)],
    bundle: true, write: false, format: "esm", target: "es2022", conditions: ["workerd", "worker", "browser"], logLevel: "error",
    define: { CONFIGURATION: JSON.stringify(configuration) },
    // Its manifest names files that are not in the package.
    alias: { "@homegrower-club/stoma": here("node_modules/@homegrower-club/stoma/dist/index.js") },
    external: ["node:*", "cloudflare:*"],
  });
  const mf = new Miniflare({
    modules: [{ type: "ESModule", path: "entry.js", contents: outputFiles[0].text }],
    compatibilityDate: COMPATIBILITY,
    compatibilityFlags: ["nodejs_compat"],
    // Miniflare's KV is a Worker of its own in the same process: each has it, so that it counts for none.
    kvNamespaces: ["JWKS_CACHE"],
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    ...DIRECTLY,
  });
  return [await mf.unsafeGetDirectURL(), () => mf.dispose()];
});
