// `npm run fuzz`: the fuzz targets, compiled for libFuzzer by stable Rust and run for a bounded time.
//
//   npm run fuzz                       all of them, ten seconds each, two at a time
//   npm run fuzz -- TARGET             one of them
//   npm run fuzz -- TARGET FILE...     one of them on these inputs alone
//   npm run fuzz -- --seconds 60       longer
//   npm run fuzz -- --seed 1           from the same start in the same order, as `npm test` does
//
// With --when-changed, as `npm test` calls it, they are passed over where nothing has changed since they last held, and, loudly, where
// there is no C++ compiler for libFuzzer.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { plant } from "../fuzz/seeds.mjs";
import { ask, digest, fail, once, root, run, say } from "./lib/run.mjs";

const AT_ONCE = 2;

/** What one input may take, in seconds, megabytes and bytes. */
const LIMITS = ["-timeout=10", "-rss_limit_mb=2048", "-max_len=8192"];

/** What cargo-fuzz passes: coverage by LLVM's own pass, which stable compilers have too. No sanitizer: there is no unsafe code of ours. */
const RUSTFLAGS = [
  "--cfg=fuzzing",
  "-Cpasses=sancov-module",
  "-Cllvm-args=-sanitizer-coverage-level=4",
  "-Cllvm-args=-sanitizer-coverage-trace-compares",
  "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
  "-Cllvm-args=-sanitizer-coverage-pc-table",
  "-Ccodegen-units=1",
];

/** A backtrace would end up in front of what is told of a crash. */
const quiet = { ...process.env, RUST_BACKTRACE: "0" };

const build = join(root, "build");
const { values, positionals } = readArguments();
const [only, ...inputs] = positionals;
const all = readdirSync(join(root, "fuzz/targets")).map((file) => file.replace(/\.rs$/, ""));
if (only !== undefined && !all.includes(only)) fail(`There is no fuzz target ${only}; there are ${all.join(", ")}`);
if (!(Number(values.seconds) >= 1)) fail(`--seconds takes a number from 1 on, not ${values.seconds}`);
// For libFuzzer 0 is any.
if (values.seed !== undefined && !/^[1-9]\d{0,8}$/.test(values.seed)) fail(`--seed takes a whole number from 1 on, not ${values.seed}`);

if (!hasCompiler()) {
  const why = "libFuzzer is C++, and there is no C++ compiler here: c++, or what CXX names";
  if (!values["when-changed"]) fail(why);
  console.error(`\n\u26a0 THE FUZZ TARGETS WERE NOT RUN\n\u26a0 ${why}.\n\u26a0 Install one, then: npm run fuzz\n`);
} else if (values["when-changed"]) {
  const again = [process.argv[1], "--seconds", values.seconds, ...(values.seed ? ["--seed", values.seed] : [])];
  if (!once(join(build, ".fuzz-stamp"), state(), [], () => run("Fuzz targets", process.execPath, again))) {
    say("Fuzz targets: skipped, nothing has changed since they last held");
  }
} else {
  const program = compile();
  if (inputs.length > 0) run(`The fuzz target ${only} on ${inputs.join(", ")}`, program(only), inputs.map((file) => resolve(file)), { env: quiet });
  else await fuzz(only === undefined ? all : [only], program);
}

function readArguments() {
  const options = { seconds: { type: "string", default: "10" }, seed: { type: "string" }, "when-changed": { type: "boolean", default: false } };
  try {
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    return fail(error.message);
  }
}

function hasCompiler() {
  const [compiler, ...args] = (process.env.CXX || "c++").split(" ");
  return ask(compiler, [...args, "-x", "c++", "-std=c++17", "-fsyntax-only", "-"], { input: "#include <vector>\n" }) !== undefined;
}

/** A digest of all that could make a target fail. */
function state() {
  const folders = ["src", "fuzz"].flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }));
  const files = folders.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  const others = ["Cargo.toml", "Cargo.lock", "scripts/fuzz.mjs"].map((file) => join(root, file));
  return digest(...[...files.sort(), ...others].flatMap((file) => [relative(root, file), "\0", readFileSync(file), "\0"]));
}

/** Compiles the targets, and says where each is. */
function compile() {
  const host = ask("rustc", ["-vV"])?.match(/^host: (.*)$/m)?.[1];
  if (!host) fail("rustc is not here. Install Rust from https://rustup.rs, then run this again.");
  const folder = join(build, "fuzz-target");
  const first = !existsSync(folder);
  // With an explicit target the flags are for it alone: build scripts and macros run as they are.
  const args = ["build", "--locked", "--profile", "fuzz", "--package", "portcullis-fuzz", "--bins", "--target", host, "--target-dir", folder];
  const env = { ...process.env, CARGO_ENCODED_RUSTFLAGS: RUSTFLAGS.join("\x1f") };
  run("Compiling the fuzz targets", "cargo", [...args, ...(first ? [] : ["--quiet"])], { env });
  return (target) => join(folder, host, "fuzz", target);
}

async function fuzz(targets, program) {
  const held = targets.filter((target) => regressionsHold(target, program(target)));
  const waiting = [...held];
  let failed = targets.length - held.length;
  const worker = async () => {
    for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
      if (!(await explore(target, program(target)))) failed += 1;
    }
  };
  if (held.length > 0) say(`Fuzzing ${held.join(", ")}: ${values.seconds} s each`);
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  if (failed > 0) fail(`${failed} of ${targets.length} fuzz targets failed`);
}

/** Inputs that failed once, before any new ones. */
function regressionsHold(target, program) {
  const folder = join(root, "fuzz/regressions", target);
  const files = existsSync(folder) ? readdirSync(folder).map((file) => join(folder, file)) : [];
  if (files.length === 0) return true;
  const { status, error, stdout, stderr } = spawnSync(program, [...LIMITS, ...files], { cwd: root, env: quiet, encoding: "utf8" });
  if (error) fail(`${program} cannot be run: ${error.message}`);
  if (status === 0) return true;
  const file = [...stderr.matchAll(/^Running: (.*)$/gm)].at(-1)?.[1];
  report(target, stdout + stderr, file);
  return false;
}

/** Fuzzes one target; `false` where it failed. */
function explore(target, program) {
  const [corpus, crashes, logs] = ["fuzz-corpus", "fuzz-crashes", "fuzz-logs"].map((folder) => join(build, folder));
  const own = join(values.seed ? `${corpus}-seeded` : corpus, target);
  if (values.seed) rmSync(own, { recursive: true, force: true });
  const dictionary = plant(target, own);
  for (const folder of [crashes, logs]) mkdirSync(folder, { recursive: true });
  const goal = [`-max_total_time=${Math.floor(Number(values.seconds))}`, `-seed=${values.seed ?? 0}`, "-print_final_stats=1"];
  const places = [`-artifact_prefix=${crashes}/${target}-`, `-dict=${dictionary}`, own];
  const child = spawn(program, [...goal, ...LIMITS, ...places], { cwd: root, env: quiet, stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (log += text));
  return new Promise((settle) => {
    child.on("error", (error) => (log += error.message));
    child.on("close", (status) => {
      writeFileSync(join(logs, `${target}.log`), log);
      const summary = status === 0 ? summarise(log) : undefined;
      if (summary) say(`${target.padEnd(10)}${summary}`);
      else report(target, status === 0 ? "no coverage was measured, so nothing was explored" : log, log.match(/^.*Test unit written to (.*)$/m)?.[1]);
      settle(Boolean(summary));
    });
  });
}

/** Executions and coverage in a line; nothing where coverage was not measured, which would be no fuzzing at all. */
function summarise(log) {
  const coverage = [...log.matchAll(/^#\d+.* cov: (\d+) ft: \d+ corp: (\d+)/gm)];
  const counters = log.match(/\((\d+) inline 8-bit counters\)/)?.[1];
  const runs = log.match(/number_of_executed_units: (\d+)/)?.[1];
  if (!counters || !runs || coverage.length === 0) return undefined;
  const [[, before], [, after, corpus]] = [coverage[0], coverage.at(-1)];
  return `${runs.padStart(9)} runs, ${after} of ${counters} places covered (${before} by what there was), ${corpus} inputs kept`;
}

function report(target, log, file) {
  const lines = log.split("\n");
  const told = lines.findIndex((line) => /panicked at|ERROR: libFuzzer/.test(line));
  const excerpt = told < 0 ? lines.slice(-6) : lines.slice(told, told + 6);
  console.error(`\u2716 ${target} failed:\n${excerpt.join("\n")}`);
  if (!file) return;
  const input = relative(root, file);
  console.error(`The input is ${input}. To run it again:\n  npm run fuzz -- ${target} ${input}`);
  console.error(`  cargo run --package portcullis-fuzz --bin ${target} -- ${input}`);
}
