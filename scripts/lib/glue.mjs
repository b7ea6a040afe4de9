// From the wasm that rustc made to what JavaScript loads: glue by wasm-bindgen's library, and a smaller, faster module by binaryen.
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bin } from "./packages.mjs";
import { digest, root, run } from "./run.mjs";

/** What wasm-opt may use: what rustc itself emits for this target, and the vectors of RSA. */
const FEATURES = ["bulk-memory", "multivalue", "mutable-globals", "nontrapping-float-to-int", "reference-types", "relaxed-simd", "sign-ext", "simd"];

/**
 * Functions that are called from one place alone are not drawn into it unless they are small. By itself wasm-opt makes few giants of them, and of
 * a giant all is compiled where a corner of it is first wanted: a start takes a seventh longer.
 */
const INLINING = "--one-caller-inline-max-function-size=30";

/** What changes when this file does: part of the key of whatever is made by it. */
export const glued = digest(readFileSync(fileURLToPath(import.meta.url)));

/** Makes `portcullis.js` and `portcullis_bg.wasm` in a fresh `folder`; `level` is wasm-opt's. */
export function glue(wasm, folder, level) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const quiet = existsSync(join(root, "target/debug/xtask")) ? ["--quiet"] : [];
  run("Making the JavaScript glue", "cargo", ["run", ...quiet, "--locked", "--package", "xtask", "--", wasm, folder]);
  const module = join(folder, "portcullis_bg.wasm");
  const enabled = FEATURES.map((feature) => `--enable-${feature}`);
  run("Optimising the wasm", process.execPath, [bin("wasm-opt"), level, INLINING, ...enabled, module, "-o", module]);
}
