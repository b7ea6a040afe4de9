// A Rust compiler for wasm32-unknown-unknown, by whichever way this machine offers.
//
// 1. The `cargo` on the PATH, with its wasm32 standard library or one that `rustup target add` can get.
// 2. Where rustup cannot reach its server: Debian's rustc with its own std source, from which the library is built once into a cache.
import { existsSync, mkdirSync, readdirSync, copyFileSync, writeFileSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { ask, fail, run, say } from "./run.mjs";

const TARGET = "wasm32-unknown-unknown";
const DEBIAN = ["rustc-web", "rust-web-src", "cargo-web", "lld-19"];
/** The oldest compiler that the crate `worker` builds with. */
const OLDEST = [1, 91];

const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "portcullis");

/** What to call, and with which environment, to build for wasm. */
export function wasmToolchain() {
  if (!ask("cargo", ["--version"])) {
    fail("cargo is not here. Install Rust from https://rustup.rs (1.91 or newer), then run this again.");
  }
  // PORTCULLIS_TOOLCHAIN=debian takes the second way on any machine, for trying it.
  const wanted = process.env.PORTCULLIS_TOOLCHAIN;
  if (wanted !== "debian" && (hasStd("rustc") || added())) return { cargo: "cargo", env: {} };
  return debian();
}

function hasStd(rustc, args = []) {
  const folder = ask(rustc, ["--print", "target-libdir", "--target", TARGET, ...args]);
  return Boolean(folder) && existsSync(folder) && readdirSync(folder).some((file) => /^libstd-.*\.rlib$/.test(file));
}

function added() {
  // A failed try is remembered for a day: it can take long on machines without a network.
  const mark = join(cache, "rustup-cannot-add-the-target");
  if (existsSync(mark) && Date.now() - Number(ask("stat", ["-c", "%Y", mark])) * 1000 < 86_400_000) return false;
  if (!ask("rustup", ["--version"])) return false;
  say(`Adding the target ${TARGET} with rustup`);
  if (ask("rustup", ["target", "add", TARGET], { timeout: 300_000 }) !== undefined && hasStd("rustc")) return true;
  mkdirSync(cache, { recursive: true });
  writeFileSync(mark, "");
  return false;
}

function debian() {
  const rustc = "/usr/bin/rustc";
  if (!usable(rustc) || !existsSync("/usr/bin/wasm-ld-19") || !existsSync(sourceOf(rustc))) {
    if (!existsSync("/usr/bin/apt-get")) {
      fail(`The Rust target ${TARGET} is not installed. Run: rustup target add ${TARGET}`);
    }
    const sudo = process.getuid?.() === 0 ? [] : ["sudo"];
    const apt = (...args) => [...sudo, "apt-get", ...args];
    const quiet = { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
    const [update, ...updateArgs] = apt("update", "-qq");
    run("rustup cannot get the wasm target here: using Debian's Rust instead (apt-get update)", update, updateArgs, quiet);
    const [install, ...installArgs] = apt("install", "-y", "-qq", "--no-install-recommends", ...DEBIAN);
    run(`Installing ${DEBIAN.join(", ")}`, install, installArgs, quiet);
    if (!usable(rustc)) fail(`Debian's rustc is older than ${OLDEST.join(".")}; install the target with rustup instead.`);
  }
  const sysroot = builtStd(rustc);
  return {
    cargo: "/usr/bin/cargo",
    env: {
      RUSTC: rustc,
      RUSTFLAGS: `--sysroot=${sysroot}`,
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: "wasm-ld-19",
    },
  };
}

function usable(rustc) {
  const version = ask(rustc, ["--version"])?.match(/^rustc (\d+)\.(\d+)/);
  return Boolean(version) && Number(version[1]) === OLDEST[0] && Number(version[2]) >= OLDEST[1] && existsSync("/usr/bin/cargo");
}

function sourceOf(rustc) {
  return join(ask(rustc, ["--print", "sysroot"]) ?? "/usr", "lib/rustlib/src/rust/library/std");
}

/** A sysroot that holds the wasm32 standard library of Debian's compiler, built from its own source. */
function builtStd(rustc) {
  const version = ask(rustc, ["--version"]).split(" ")[1];
  const sysroot = join(cache, `sysroot-${version}`);
  const libraries = join(sysroot, "lib/rustlib", TARGET, "lib");
  if (hasStd(rustc, [`--sysroot=${sysroot}`])) return sysroot;
  const work = join(cache, `std-${version}`);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(join(work, "src"), { recursive: true });
  writeFileSync(join(work, "Cargo.toml"), '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2021"\n\n[workspace]\n');
  writeFileSync(join(work, "src/lib.rs"), "");
  run("Building Rust's standard library for wasm32, once on this machine (about a minute)", "/usr/bin/cargo", [
    "build", "--release", "--target", TARGET, "-Zbuild-std=std,panic_abort,proc_macro",
  ], {
    cwd: work,
    // Without the bitcode, link-time optimisation of what uses it fails.
    env: { ...process.env, RUSTC_BOOTSTRAP: "1", RUSTC: rustc, RUSTFLAGS: "-Cembed-bitcode=yes", CARGO_TARGET_DIR: join(work, "target") },
  });
  mkdirSync(libraries, { recursive: true });
  const built = join(work, "target", TARGET, "release/deps");
  for (const file of readdirSync(built).filter((name) => name.endsWith(".rlib") && !name.startsWith("libempty-"))) {
    copyFileSync(join(built, file), join(libraries, file));
  }
  rmSync(work, { recursive: true, force: true });
  return sysroot;
}
