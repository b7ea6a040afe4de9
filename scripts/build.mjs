// Builds the Worker: Rust to wasm, wasm to JavaScript glue, and the checked gateway.json into the wasm. Also wrangler's `[build]`.
//
//   node scripts/build.mjs [CONFIGURATION]
//
// A Worker has the language of rules where its configuration has rules, or with PORTCULLIS_RULES=1: it weighs as much as a third of the rest.
// Each step is skipped when nothing it depends on has changed, so an edit of gateway.json costs a check and nothing more. Under
// `wrangler dev`, which ends when its build fails, a broken edit is told and what was built last goes on serving.
import { copyFileSync, existsSync, readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { glue, glued } from "./lib/glue.mjs";
import { installPackages } from "./lib/packages.mjs";
import { digest, once, replace, root, run, say } from "./lib/run.mjs";
import { wasmToolchain } from "./lib/toolchain.mjs";
import { checkConfiguration, checked } from "./lib/check.mjs";
import { prepared } from "./lib/prepare.mjs";

const out = join(root, "build");
const PREPARE = join(root, "scripts/lib/prepare.mjs");
const wasm = join(root, "target/wasm/wasm32-unknown-unknown/release/portcullis_worker.wasm");

const FILES = ["portcullis.js", "portcullis_bg.wasm"];
const outputs = FILES.map((file) => join(out, file));
const lastGood = [...outputs, checked].every((file) => existsSync(file));
if (process.env.WRANGLER_COMMAND === "dev" && lastGood) {
  process.on("exit", (code) => {
    if (code === 0) return;
    console.error("\u2716 Not built: what was built last goes on serving");
    process.exitCode = 0;
  });
}

installPackages();
if (!existsSync(join(root, ".dev.vars"))) {
  copyFileSync(join(root, ".dev.vars.example"), join(root, ".dev.vars"));
  say("Made .dev.vars from .dev.vars.example");
}
if (!checkConfiguration(process.argv[2] || process.env.GATEWAY_CONFIG)) process.exit(1);
buildWorker(process.env.PORTCULLIS_RULES === "1" || hasRules(checked));

/** Whether any path of a checked configuration has rules. */
function hasRules(file) {
  const { paths = [] } = JSON.parse(readFileSync(file, "utf8").replace(/^\ufeff/, ""));
  return paths.some((path) => path.authorization?.rules?.length > 0);
}

function buildWorker(rules) {
  const { cargo, env } = wasmToolchain();
  const variant = rules ? "with-rules" : "plain";
  const folder = join(out, variant);
  const made = FILES.map((file) => join(folder, file));
  const fresh = existsSync(made[1]);
  const features = rules ? ["--features", "rules"] : [];
  run(
    fresh ? "" : "Compiling the Worker to wasm",
    cargo,
    ["build", "--release", "--locked", "--package", "portcullis-worker", ...features, "--target", "wasm32-unknown-unknown", "--target-dir", "target/wasm", ...(fresh ? ["--quiet"] : [])],
    { env: { ...process.env, ...env } },
  );
  const source = digest(readFileSync(wasm));
  once(join(folder, ".stamp"), digest(source, glued), made, () => {
    glue(wasm, folder, "-O3");
    const bytes = readFileSync(made[1]);
    say(`The Worker has ${kilobytes(bytes.length)} of wasm, ${kilobytes(gzipSync(bytes, { level: 9 }).length)} gzip (${rules ? "with rules" : "without rules"})`);
  });
  // Where worker/entry.js takes it from.
  const configuration = readFileSync(checked);
  once(join(out, ".stamp"), digest(variant, source, glued, configuration, readFileSync(PREPARE)), outputs, () => {
    const snippets = readdirSync(join(folder, "snippets"), { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
    for (const { parentPath, path, name } of snippets) {
      const file = join(parentPath ?? path, name);
      replace(join(out, relative(folder, file)), readFileSync(file));
    }
    replace(outputs[0], readFileSync(made[0]));
    replace(outputs[1], prepared(readFileSync(made[1]), configuration.toString()));
  });
}

function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(0)} kB`;
}
