// `npm test`: everything. Rust's tests, its lints and format, a minute of fuzzing where Rust has changed, the wasm build with its size,
// and the end-to-end tests on workerd.
//
//   npm test            all of it
//   npm test -- e2e     the end-to-end tests alone; `rust` for the rest
import { readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { bin, installPackages } from "./lib/packages.mjs";
import { chromium, curl } from "./lib/programs.mjs";
import { ask, digest, fail, once, root, run, say } from "./lib/run.mjs";

/** What the wasm may weigh, in bytes of gzip, without and with the language of rules. */
const BUDGETS = { plain: 450_000, rules: 600_000 };

const only = process.argv[2];

installPackages();
if (only !== "e2e") {
  direction();
  run("Format", "cargo", ["fmt", "--all", "--check"]);
  run("Lints, warnings denied", "cargo", ["clippy", "--workspace", "--all-targets", "--locked", "--quiet", "--", "-D", "warnings"]);
  run("Rust tests", "cargo", ["test", "--locked", "--quiet"]);
  run("", process.execPath, ["scripts/fuzz.mjs", "--when-changed", "--seconds", "6", "--seed", "1"]);
}
for (const [variant, folder] of [["rules", "build/bundle-rules"], ["plain", "build/bundle"]]) {
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false", ...(variant === "rules" ? { PORTCULLIS_RULES: "1" } : {}) };
  run(`Building the Worker (${variant})`, process.execPath, ["scripts/build.mjs", "gateway.json"], { env });
  budget(variant);
  if (only !== "rust") bundle(folder, env);
}
run("", process.execPath, ["scripts/build-page.mjs"]);
if (only !== "rust") endToEnd();

/** The library knows nothing of JavaScript: it runs natively, and is tested so. */
function direction() {
  const tree = ask("cargo", ["tree", "--locked", "--package", "portcullis", "--edges", "normal", "--prefix", "none"]);
  if (tree === undefined) fail("cargo tree failed");
  const reached = tree.split("\n").filter((line) => /^(worker|wasm-bindgen|js-sys|web-sys)[ -]/.test(line));
  if (reached.length > 0) fail(`The library reaches ${reached.join(", ")}`);
}

function budget(variant) {
  const folder = variant === "rules" ? "with-rules" : variant;
  const bytes = gzipSync(readFileSync(join(root, "build", folder, "portcullis_bg.wasm")), { level: 9 }).length;
  if (bytes > BUDGETS[variant]) fail(`The wasm has ${bytes} bytes gzip; ${BUDGETS[variant]} are allowed`);
  say(`The wasm has ${bytes} bytes gzip of ${BUDGETS[variant]} allowed (${variant})`);
}

/** What `wrangler deploy` would upload, for the tests. */
function bundle(path, env) {
  const folder = join(root, path);
  const snippets = readdirSync(join(root, "build/snippets"), { recursive: true }).filter((file) => file.endsWith(".js"));
  const built = ["portcullis.js", "portcullis_bg.wasm", ...snippets.map((file) => join("snippets", file))].map((file) => join("build", file));
  const own = ["worker", "worker/src"].flatMap((at) => readdirSync(join(root, at)).filter((file) => file.endsWith(".js")).map((file) => join(at, file)));
  const inputs = [...built, ...own, "wrangler.toml"];
  once(`${folder}-stamp`, digest(...inputs.map((file) => readFileSync(join(root, file)))), [join(folder, "entry.js")], () => {
    rmSync(folder, { recursive: true, force: true });
    run("Bundling as `wrangler deploy` does", bin("wrangler"), ["deploy", "--dry-run", "--outdir", folder], { env });
  });
}

function endToEnd() {
  // Here, where installing them may take its time.
  chromium();
  curl();
  const files = readdirSync(join(root, "tests/e2e")).filter((file) => file.endsWith(".test.mjs")).map((file) => join("tests/e2e", file));
  run("End-to-end tests on workerd", process.execPath, ["--test", "--test-concurrency=1", "--test-timeout=120000", "--test-force-exit", "--test-reporter=spec", ...files]);
}
