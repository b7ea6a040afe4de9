// Builds the Worker: Rust to wasm, wasm to JavaScript glue, and the checked copy of gateway.json beside it. Also wrangler's `[build]`.
//
//   node scripts/build.mjs [CONFIGURATION]
//
// Each step is skipped when nothing it depends on has changed, so an edit of gateway.json costs a check and nothing more. Under
// `wrangler dev`, which ends when its build fails, a broken edit is told and what was built last goes on serving.
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { bin, installPackages } from "./lib/packages.mjs";
import { digest, once, root, run, say } from "./lib/run.mjs";
import { wasmToolchain } from "./lib/toolchain.mjs";
import { checkConfiguration, checked } from "./lib/check.mjs";

const out = join(root, "build");
const wasm = join(root, "target/wasm/wasm32-unknown-unknown/release/portcullis_worker.wasm");

/** What wasm-opt may use: what rustc itself emits for this target. */
const FEATURES = ["bulk-memory", "multivalue", "mutable-globals", "nontrapping-float-to-int", "reference-types", "sign-ext"];

const outputs = ["portcullis.js", "portcullis_bg.wasm"].map((file) => join(out, file));
const lastGood = [...outputs, checked].every((file) => existsSync(file));
if (process.env.WRANGLER_COMMAND === "dev" && lastGood) {
  process.on("exit", (code) => {
    if (code === 0) return;
    console.error("\u2716 Not built: what was built last goes on serving");
    process.exitCode = 0;
  });
}

installPackages();
buildWorker();
if (!existsSync(join(root, ".dev.vars"))) {
  copyFileSync(join(root, ".dev.vars.example"), join(root, ".dev.vars"));
  say("Made .dev.vars from .dev.vars.example");
}
if (!checkConfiguration(process.argv[2] || process.env.GATEWAY_CONFIG)) process.exit(1);

function buildWorker() {
  const { cargo, env } = wasmToolchain();
  const fresh = existsSync(join(out, "portcullis_bg.wasm"));
  run(
    fresh ? "" : "Compiling the Worker to wasm",
    cargo,
    ["build", "--release", "--locked", "--package", "portcullis-worker", "--target", "wasm32-unknown-unknown", "--target-dir", "target/wasm", ...(fresh ? ["--quiet"] : [])],
    { env: { ...process.env, ...env } },
  );
  once(join(out, ".stamp"), digest(readFileSync(wasm)), outputs, () => {
    for (const file of ["snippets", ...outputs]) rmSync(join(out, file), { recursive: true, force: true });
    mkdirSync(out, { recursive: true });
    const quiet = existsSync(join(root, "target/debug/xtask")) ? ["--quiet"] : [];
    run("Making the JavaScript glue", "cargo", ["run", ...quiet, "--locked", "--package", "xtask", "--", wasm, out]);
    const module = outputs[1];
    const features = FEATURES.map((feature) => `--enable-${feature}`);
    run("Optimising the wasm", process.execPath, [bin("wasm-opt"), "-O3", ...features, module, "-o", module]);
    const bytes = readFileSync(module);
    say(`The Worker has ${kilobytes(bytes.length)} of wasm, ${kilobytes(gzipSync(bytes, { level: 9 }).length)} gzip`);
  });
}

function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(0)} kB`;
}
