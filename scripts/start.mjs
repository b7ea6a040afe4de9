// `npm start`: the gateway on http://localhost:8787 with the repository's gateway.json, and a request to try.
import { createHmac } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { tellEdits } from "./lib/edits.mjs";
import { bin, installPackages } from "./lib/packages.mjs";
import { root, run, say, start } from "./lib/run.mjs";

const { values } = parseArgs({ options: { port: { type: "string", default: "8787" } } });
const address = `http://localhost:${values.port}`;

installPackages();
run("", process.execPath, ["scripts/build.mjs"]);
startEcho();
tellEdits(join(root, "gateway.json"), join(root, "build/edits"));
const wrangler = start(bin("wrangler"), ["dev", "--port", values.port], {
  // Nothing here needs the account's servers.
  env: { ...process.env, WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" },
});
wrangler.on("exit", (code) => process.exit(code ?? 1));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => wrangler.kill(signal));
await answering(address);
printExample();

/** The upstream `echo` of the example: answers with what it got. Another program may have its port; then that one is the upstream. */
function startEcho() {
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    response.setHeader("content-type", "application/json");
    const { method, url, headers } = request;
    response.end(`${JSON.stringify({ method, url, headers, body: Buffer.concat(chunks).toString() }, null, 2)}\n`);
  });
  server.on("error", (error) => say(`The echo upstream was not started: ${error.message}`));
  server.listen(8788, "localhost");
  return server;
}

/** Waits until the server answers anything. */
async function answering(url) {
  for (;;) {
    const up = await fetch(url).then(() => true, () => false);
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function printExample() {
  const example = exampleRequest();
  const lines = [`\n  Portcullis answers on ${address}, and gateway.json is watched: an edit is live in a moment.`];
  if (example) {
    lines.push(
      `\n  Without a token:\n    curl -i ${address}${example.path}`,
      `\n  With one that is good for an hour:\n    curl -i ${address}${example.path} -H 'Authorization: Bearer ${example.token}'`,
    );
  }
  console.log(`${lines.join("\n")}\n`);
}

/** A protected path of gateway.json with a token for it, where its default authorizer has a shared secret. */
function exampleRequest() {
  const config = JSON.parse(readFileSync(join(root, "gateway.json"), "utf8"));
  const { authorizer: jwt, paths } = config;
  const route = paths.find((path) => path.auth === true && [path.method].flat().some((method) => method === "GET" || method === "ANY"));
  const algorithm = [jwt?.algorithm ?? jwt?.algorithms].flat()[0];
  const known = variables();
  const text = (value) => [value].flat()[0]?.replace(/\$(env|secrets?)\.(\w+)/g, (_, _kind, name) => known[name] ?? "");
  if (!route || !jwt.secret || !/^HS(256|384|512)$/.test(algorithm)) return undefined;
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: text(jwt.issuer), aud: text(jwt.audience ?? jwt.audiences), sub: "demo", email: "demo@example.com", iat: now, exp: now + 3600 };
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const input = `${part({ alg: algorithm, typ: "JWT" })}.${part(claims)}`;
  const secret = Buffer.from(text(jwt.secret), jwt.secret_encoding ?? "utf8");
  const signature = createHmac(`sha${algorithm.slice(2)}`, secret).update(input).digest("base64url");
  const path = route.path.replace("{.+}", "").replace(/\{[^}]+\}/g, "1");
  return { path, token: `${input}.${signature}` };
}

function variables() {
  const file = join(root, ".dev.vars");
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
  return Object.fromEntries(lines.map((line) => line.match(/^\s*(\w+)\s*=\s*["']?(.*?)["']?\s*$/)).filter(Boolean).map((m) => [m[1], m[2]]));
}
