// `npm run debug`: the page of `portcullis debug`, built where it has to be, and served. What follows `--` goes to the command:
//
//   npm run debug -- --env-file .dev.vars
import { join } from "node:path";
import { root, run, start } from "./lib/run.mjs";

run("", process.execPath, ["scripts/build-page.mjs"]);
run("", "cargo", ["build", "--locked", "--bin", "portcullis", "--quiet"]);
const server = start(join(root, "target/debug/portcullis"), ["debug", ...process.argv.slice(2)]);
server.on("exit", (code) => process.exit(code ?? 0));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => server.kill(signal));
