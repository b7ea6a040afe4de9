// `npm run bench:tokens`: what checking a token costs, in CPU time of the workerd process per request (Linux).
//
// One Worker is the gateway with keys of its own; the other does nothing but WebCrypto's `verify` of an RS256 signature, which the runtime
// does natively. Each figure is the median of interleaved rounds, less a request of the same Worker without a token. Machines differ and
// are noisy: the ratios count.
import { generateKeyPairSync, sign } from "node:crypto";
import { Miniflare } from "miniflare";
import { SECRET, gateway, hs, part } from "../tests/e2e/harness.mjs";
import { medians, onOneProcessor, started } from "./lib/cpu.mjs";

onOneProcessor();

const ALGORITHMS = {
  RS256: { pair: generateKeyPairSync("rsa", { modulusLength: 2048 }), sign: (input, key) => sign("sha256", input, key) },
  ES256: { pair: generateKeyPairSync("ec", { namedCurve: "P-256" }), sign: (input, key) => sign("sha256", input, { key, dsaEncoding: "ieee-p1363" }) },
  EdDSA: { pair: generateKeyPairSync("ed25519"), sign: (input, key) => sign(null, input, key) },
};
const jwk = (alg) => ({ ...ALGORITHMS[alg].pair.publicKey.export({ format: "jwk" }), kid: alg });

let count = 0;
function token(alg) {
  const claims = { iss: "i", aud: "a", sub: `user-${(count += 1)}`, exp: 4_000_000_000 };
  if (alg === "HS256") return hs(claims);
  const input = `${part({ alg, kid: alg })}.${part(claims)}`;
  return `${input}.${ALGORITHMS[alg].sign(Buffer.from(input), ALGORITHMS[alg].pair.privateKey).toString("base64url")}`;
}

const ours = await started(async () => {
  const rules = { issuer: "i", audience: "a" };
  const gate = await gateway({
    authorizers: [
      { name: "public", type: "jwt", jwks: { keys: Object.keys(ALGORITHMS).map(jwk) }, ...rules },
      { name: "HS256", type: "jwt", secret: "$env.SECRET", algorithm: "HS256", ...rules },
    ],
    paths: [
      { method: "GET", path: "/public", auth: "public", response: {} },
      { method: "GET", path: "/HS256", auth: "HS256", response: {} },
      { method: "GET", path: "/open", response: {} },
    ],
  }, { bindings: { SECRET } });
  return [gate.url, gate.stop];
});

const native = await started(async () => {
  const script = `
    const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
    const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
    let key;
    export default { async fetch(request) {
      key ??= await crypto.subtle.importKey("jwk", ${JSON.stringify(jwk("RS256"))}, algorithm, false, ["verify"]);
      const token = request.headers.get("authorization")?.slice(7);
      if (!token) return Response.json({});
      const dot = token.lastIndexOf(".");
      const good = await crypto.subtle.verify(algorithm, key, bytes(token.slice(dot + 1)), new TextEncoder().encode(token.slice(0, dot)));
      return Response.json({}, { status: good ? 200 : 401 });
    } };`;
  const mf = new Miniflare({ modules: true, script, compatibilityDate: "2026-04-01", unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }] });
  return [await mf.unsafeGetDirectURL(), () => mf.dispose()];
});

const seen = Object.fromEntries(["HS256", "RS256"].map((alg) => [alg, token(alg)]));
const cases = [
  { name: "no token", worker: ours, path: "/open", token: () => undefined },
  ...["HS256", ...Object.keys(ALGORITHMS)].map((alg) => ({ name: `${alg}, never seen`, worker: ours, path: alg === "HS256" ? "/HS256" : "/public", token: () => token(alg) })),
  ...Object.keys(seen).map((alg) => ({ name: `${alg}, seen before`, worker: ours, path: alg === "HS256" ? "/HS256" : "/public", token: () => seen[alg] })),
  { name: "WebCrypto: no token", worker: native, path: "/", token: () => undefined },
  { name: "WebCrypto: RS256", worker: native, path: "/", token: () => token("RS256") },
];

const figures = await medians(cases);
const median = (one) => figures.get(one);
const above = (one) => median(one) - median(cases.find((base) => base.worker === one.worker && base.name.endsWith("no token")));
const unit = above(cases.at(-1));
console.log("CPU of workerd per request, in µs: in all, above a request without a token, and that as a multiple of WebCrypto's RS256");
for (const one of cases) {
  console.log(`${one.name.padEnd(24)}${median(one).toFixed(0).padStart(6)}${above(one).toFixed(0).padStart(8)}${(above(one) / unit).toFixed(2).padStart(8)}`);
}
await Promise.all([ours.stop(), native.stop()]);
