// Curl lines as the page reads them, held against what curl sends to a server.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, before, it } from "node:test";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { curl } from "../../scripts/lib/programs.mjs";
import { root, upstream } from "./harness.mjs";

const built = join(root, "build/page");

/** What the line is about comes with every test; these are the connection's, and what curl adds unasked. */
const CONNECTION = new Set(["host", "content-length", "connection", "expect"]);
const UNASKED = [/^accept: \*\/\*$/, /^user-agent: curl\//];

const LINES = [
  "URL",
  "URL?x=1",
  "'URL/a?x=1#fragment'",
  "URL/a/../b/./c/..",
  "URL/a//b/../c",
  "URL/..",
  "--path-as-is URL/a/../b",
  "--request-target '/other?q' URL/c",
  "URL/é",
  "http://me:p%40w@HOST/a",
  "-u user:pass URL",
  "-u user:pass --oauth2-bearer token URL",
  "-u user:pass -H 'Authorization: Bearer x' URL",
  "--oauth2-bearer token URL",
  "-H 'Accept: text/html' -H 'X-Y:z' -H 'X-Empty;' -H 'User-Agent:' URL",
  "-H 'X-Multi: 1' -H 'X-Multi: 2' URL",
  "-sSikXPUT -HA:b URL",
  "-b 'a=1' --cookie 'b=2; c=3' URL",
  "-b a=1 -H 'Cookie: z=9' URL",
  "-A me -A you -e http://from/ URL",
  "-r 0-9 --compressed URL",
  "-d a=1 URL",
  "-d a -d b -G URL?c",
  "-d '{}' -X PATCH -H 'content-type: application/json' URL",
  "--json '{}' URL",
  "--json '{}' -H 'Accept: text/html' URL",
  "-F a=b URL",
  "-T package.json URL/a",
  "-T package.json 'URL/folder/?x'",
  "-G 'URL/a?x=1' -d y=2 --data-urlencode 'z=a b&c' --data-urlencode é --data-urlencode '=q r'",
  "--url-query 'a=b c' 'URL/p?z=1'",
  "-X POST --get -d q=1 URL",
  "-I URL",
  "-I -X GET URL",
  "$'URL/a' -H $'X-A: it\\'s \\u0021 \\x41'",
  '"URL/a" -H "X-A: \\"quoted\\" \\\\ \\d"',
  "URL/a \\\n  -H 'X-A: b' \\\n  --no-progress-meter",
  "-o /dev/null URL/a 2>&1 > /dev/null # and so on",
  "URL/a | cat; true",
  "URL/a?b=1&c=2",
];

let [server, library] = [];

before(async () => {
  curl();
  library = await import(pathToFileURL(join(built, "portcullis.js")));
  await library.default({ module_or_path: readFileSync(join(built, "portcullis_bg.wasm")) });
  server = await upstream((request, response) => {
    request.resume();
    response.end();
    return true;
  });
});
after(() => server?.stop());

/** Escapes are the same in either case. */
const upper = (path) => path.replace(/%[0-9a-f]{2}/gi, (escape) => escape.toUpperCase());

/** What curl sends, or how it ends. */
async function sent(line) {
  server.seen.length = 0;
  const shell = spawn("bash", ["-c", `${line}\nwait`], { cwd: root, stdio: "ignore", timeout: 10_000, env: { ...process.env, HOME: built, http_proxy: "" } });
  const code = await new Promise((resolve) => shell.on("exit", resolve));
  const [request] = server.seen;
  if (!request) return { code };
  const headers = [];
  for (let at = 0; at < request.rawHeaders.length; at += 2) {
    const header = `${request.rawHeaders[at].toLowerCase()}: ${request.rawHeaders[at + 1].replace(/; boundary=.*/, "")}`.trim();
    if (!CONNECTION.has(header.split(":")[0]) && !UNASKED.some((pattern) => pattern.test(header))) headers.push(header);
  }
  return { method: request.method, path: upper(request.url), headers: headers.sort() };
}

function read(line) {
  const { method, path, headers, token, error } = JSON.parse(library.curl(line));
  if (error) return { error };
  const lines = headers.split("\n").filter(Boolean);
  if (token) lines.push(`authorization: Bearer ${token}`);
  const lower = lines.map((one) => [one.split(":")[0].toLowerCase(), one.slice(one.indexOf(":") + 1).trim()].join(": ").trim());
  return { method, path: upper(path), headers: lower.sort() };
}

it("reads a line as the request that curl sends", async () => {
  let compared = 0;
  for (const template of LINES) {
    const line = `curl ${template.replaceAll("URL", server.url).replaceAll("HOST", new URL(server.url).host)}`;
    const expected = await sent(line);
    // An older curl does not know each of the options: then it sends nothing, and ends with 2.
    if (expected.code === 2) continue;
    assert.deepEqual(read(line), expected, template);
    compared += 1;
  }
  assert.ok(compared >= LINES.length - 4, `only ${compared} lines were compared`);
});
