// Builds the page of `portcullis debug` into build/page: the library as wasm for browsers, and the page's own files beside it. Each step is
// skipped when nothing that it depends on has changed.
//
//   node scripts/build-page.mjs
import { copyFileSync, existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { glue, glued } from "./lib/glue.mjs";
import { installPackages } from "./lib/packages.mjs";
import { digest, fail, once, root, run, say } from "./lib/run.mjs";
import { wasmToolchain } from "./lib/toolchain.mjs";

/** What the wasm may weigh, in bytes of gzip. It comes from the same machine, so this only says when something large has crept in. */
const BUDGET = 700_000;

const out = join(root, "build/page");
const wasm = join(root, "target/wasm/wasm32-unknown-unknown/release/portcullis_page.wasm");
const made = ["portcullis.js", "portcullis_bg.wasm"].map((file) => join(out, file));

installPackages();
const { cargo, env } = wasmToolchain();
const fresh = existsSync(made[1]);
const args = ["build", "--release", "--locked", "--package", "portcullis-page", "--target", "wasm32-unknown-unknown", "--target-dir", "target/wasm"];
run(fresh ? "" : "Compiling the page of `portcullis debug` to wasm", cargo, [...args, ...(fresh ? ["--quiet"] : [])], { env: { ...process.env, ...env } });
once(join(out, ".stamp"), digest(readFileSync(wasm), glued), made, () => {
  glue(wasm, out, "-O2");
  const bytes = gzipSync(readFileSync(made[1]), { level: 9 }).length;
  if (bytes > BUDGET) fail(`The page's wasm has ${bytes} bytes gzip; ${BUDGET} are allowed`);
  say(`The page's wasm has ${bytes} bytes gzip of ${BUDGET} allowed`);
});
const web = join(root, "page/web");
for (const file of readdirSync(web)) copyFileSync(join(web, file), join(out, file));
